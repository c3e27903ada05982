import Foundation

/// The gnuplot program of this machine.
enum Gnuplot {
  /// Why a script was not drawn.
  struct Failure: Error {
    let reason: String
  }

  /// The first executable file called `gnuplot` on the search path.
  static func find() -> String? {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return path.split(separator: ":").map { "\($0)/gnuplot" }.first {
      var isDirectory: ObjCBool = false
      return FileManager.default.fileExists(atPath: $0, isDirectory: &isDirectory)
        && !isDirectory.boolValue && FileManager.default.isExecutableFile(atPath: $0)
    }
  }

  /// Runs a script inside its folder, without the settings of the user.
  ///
  /// - Parameter outputs: the pictures it draws; those it could not finish are removed.
  static func run(
    _ program: String?, script: String, inFolder folder: String, outputs: [String]
  ) throws(Failure) {
    let paths = outputs.map { "\(folder)/\($0)" }
    // A picture that stays is of this call.
    for path in paths { unlink(path) }
    defer { for path in paths where !isComplete(path) { unlink(path) } }
    try run(program, script: script, inFolder: folder)
    // gnuplot does not notice a full disk.
    let missing = outputs.filter { !isComplete("\(folder)/\($0)") }
    guard missing.isEmpty else {
      throw Failure(
        reason: "\(program ?? "gnuplot") did not write \(missing.joined(separator: ", ")) "
          + "to the end (is the disk full?)")
    }
  }

  /// Whether a picture has its end: the closing tag of SVG, the last line of PDF, the `IEND` chunk of PNG.
  private static func isComplete(_ path: String) -> Bool {
    guard let file = FileHandle(forReadingAtPath: path), let size = try? file.seekToEnd(),
      (try? file.seek(toOffset: size - min(size, 64))) != nil,
      let end = try? file.readToEnd()
    else { return false }
    guard path.hasSuffix(".png") else {
      let mark = path.hasSuffix(".pdf") ? "%%EOF" : "</svg>"
      return String(decoding: end, as: UTF8.self).contains(mark)
    }
    return end.suffix(12) == Data([0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82])
  }

  private static func run(_ program: String?, script: String, inFolder folder: String)
    throws(Failure)
  {
    guard let program else { throw Failure(reason: "gnuplot is not on the search path") }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = ["--default-settings", script]
    process.currentDirectoryURL = URL(fileURLWithPath: folder, isDirectory: true)
    let messages = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = messages
    let text: String
    do {
      try process.run()
      // Read before waiting: a full pipe would stop gnuplot.
      let data = try messages.fileHandleForReading.readToEnd() ?? Data()
      text = String(decoding: data, as: UTF8.self)
    } catch {
      throw Failure(reason: "\(program) did not start: \(error.localizedDescription)")
    }
    process.waitUntilExit()
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      let lines = text.split(separator: "\n").suffix(3).joined(separator: " ").onOneLine
      throw Failure(reason: "\(program) failed (\(process.terminationStatus)): \(lines)")
    }
  }
}
