import Foundation
import LinkMath
import Parts

/// Any program as encoder and decoder, such as a network in Python.
///
/// The program is started in the scenario's folder, once for each side and for each thread that needs it, and speaks over its
/// standard input and output:
///
/// 1. It reads one line of JSON, `{"protocol": "csilink codec 1", "side": "encoder", "image": [2, 32, 32], "codeword": 512}`:
///    the side that it is (`encoder` or `decoder`), the shape [2, angle, delay] of an image and the reals of a codeword. When it can
///    work it writes the line `ready`.
/// 2. Until its input ends it reads batches and answers each before it reads the next: the number of samples as an unsigned
///    32-bit integer, then the values of one sample after the other as 32-bit floats, everything little endian, row-major. An
///    encoder reads images and answers with as many codewords, a decoder reads codewords and answers with images.
///
/// Images are those of the public data sets, `0.5 + 0.5 H` with H the normalised CSI, real plane first (`CSIImages`). A decoder must
/// take any codeword, as a noisy link delivers. A sample's answer must not depend on the rest of its batch nor on batches
/// before, or results depend on the number of threads. Standard error is kept for messages when something fails. Standard output is for the
/// answers alone.
public struct ProcessCodec: CodewordCodec, Part {
  static let command = Parameter<[String]>(
    "command", .list(.text, count: 1...64),
    "Program and arguments, run in the scenario's folder once for each side and thread.")
  static let files = Parameter<[String]?>.optional(
    "files", .list(.file, count: 1...64),
    "Files that decide what the program does, such as weights; those that 'command' names count anyway."
  )
  static let timeout = Parameter.number(
    "timeout", .time, default: 60, in: 0.01...86400,
    "Longest time for the start of the program and for each batch.")

  public static let schema = PartSchema(
    .codec, "process",
    "Any program as encoder and decoder, over batches of float32 on its standard input and output.",
    parameters: [
      command.declaration, CodewordSize.compression.declaration, CodewordSize.length.declaration,
      files.declaration, timeout.declaration,
    ])

  public let codewordLength: Int
  public let summary: String
  private let encoder, decoder: CodecProcessPool
  private let angles, taps: Int

  /// - Throws: `SettingsError` for a length that does not suit the CSI and a program that is not there.
  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact? = nil) throws {
    let (angles, taps) = (context.portCount, context.tapCount)
    (self.angles, self.taps) = (angles, taps)
    let length = try CodewordSize.read(settings, realCount: 2 * taps * angles)
    let command = settings[Self.command]
    try Self.requireProgram(command[0], settings, context)
    func pool(_ side: String) throws -> CodecProcessPool {
      let work = CodecProcessPool.Work(
        start: .init(
          command: command, directory: context.directory, side: side,
          timeoutSeconds: settings[Self.timeout]),
        angles: angles, taps: taps, codewordLength: length)
      return try context.shared.object("process \(work)") { CodecProcessPool(work) }
    }
    (encoder, decoder) = (try pool("encoder"), try pool("decoder"))
    codewordLength = length
    summary = "process \(command.joined(separator: " "))"
  }

  /// What the command names that is a file in the scenario's folder, and ``files``.
  public static func files(_ settings: Settings, in context: LinkContext) -> [String] {
    let named = settings[command].map { context.path($0) }.filter { path in
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        && !isFolder.boolValue
    }
    return Set(named + (settings[files] ?? []).map { context.path($0) }).sorted()
  }

  /// Looks for the program before anything is computed.
  private static func requireProgram(
    _ program: String, _ settings: Settings, _ context: LinkContext
  ) throws(SettingsError) {
    let candidates =
      program.contains("/")
      ? [context.path(program)]
      : (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .map { "\($0)/\(program)" }
    guard candidates.contains(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
      throw SettingsError(
        part: settings.part, key: command.key,
        reason: program.contains("/")
          ? "starts with '\(program)', which is no program that can be run in \(context.directory)"
          : "starts with '\(program)', which is not on the search path",
        hint:
          "a program of your own is named with its folder, './\(program)', or behind what runs it, [python3, codec.py]"
      )
    }
  }

  /// - Parameter csi: normalised angular-delay CSI [drop, delay, angle].
  /// - Throws: ``CodecProcessError`` for a program that ends, is late or answers wrongly.
  public func encode(_ csi: ComplexArray) throws -> Codeword {
    csi.requireShape([nil, taps, angles], "[drop, delay, angle]")
    let images = CSIImages.images(csi)
    let drops = csi[dimension: 0]
    let values = try encoder.run(
      RealArray(images.elements, shape: [drops, 2 * taps * angles]), requireFinite: true)
    return Codeword(values: RealArray(values, shape: [drops, codewordLength]))
  }

  public func decode(_ codeword: Codeword) throws -> ComplexArray {
    codeword.values.requireShape([nil, codewordLength], "[drop, M]")
    let values = try decoder.run(codeword.values, requireFinite: codeword.values.isTame)
    return CSIImages.csi(
      RealArray(values, shape: [codeword.values[dimension: 0], 2, angles, taps]))
  }
}
