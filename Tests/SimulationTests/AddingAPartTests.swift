import Coding
import Foundation
import LinkMath
import Networks
import Parts
import Scenarios
import Simulation
import TestSupport
import Testing
import Training

/// One bit for each real of the codeword: its sign, which decodes to plus or minus an amplitude.
struct SignQuantizer: Quantizer, Part {
  static let amplitude = Parameter.number(
    "amplitude", default: 1, in: 1e-6...1e6, "Modulus of the decoded reals.")

  static let schema = PartSchema(
    .quantizer, "sign", "The sign of each real of the codeword.",
    parameters: [amplitude.declaration])

  private let length: Int
  private let amplitude: Float

  init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) {
    length = context.codewordLength
    amplitude = Float(settings[Self.amplitude])
  }

  var alphabets: [Int]? { [Int](repeating: 2, count: length) }

  func symbols(
    of values: UnsafeBufferPointer<Float>, into symbols: UnsafeMutableBufferPointer<UInt32>
  ) -> Int {
    for i in values.indices { symbols[i] = values[i] < 0 ? 1 : 0 }
    return 0
  }

  func values(
    of symbols: UnsafeBufferPointer<UInt32>, into values: UnsafeMutableBufferPointer<Float>
  ) {
    for i in values.indices { values[i] = symbols[i] == 1 ? -amplitude : amplitude }
  }
}

/// Share of the served slots whose rate lies below 5 bit/s/Hz.
struct Outage: Metric {
  static let schema = PartSchema(.metric, "outage", "Column outage: slots below 5 bit/s/Hz.")
  static let outage = DropNumber("outage", .servedSlots)
  static let numbers = [outage]
  static let columns = [Column.mean("outage", outage, "Share of the slots below 5 bit/s/Hz.")]

  func add(_ slot: ServedSlot, to sums: inout DropSums) {
    for drop in slot.drops where slot.beams[drop].rate / Double(slot.toneCount) < 5 {
      sums[drop, 0] += 1
    }
  }
}

/// A convolution and a dense layer at the UE; a dense layer, one residual block and a sigmoid at the BS.
enum SmallNet: NetworkFamily {
  static let schema = PartSchema(
    .codec, "smallnet", "One residual block at the BS.", parameters: [])

  static func autoencoder(
    _ settings: Settings, image: Shape, compression: Int
  ) throws(NetworkError) -> Autoencoder {
    let (length, kernel) = (image.count / compression, KernelSize(3, 3))
    return Autoencoder(
      name: "SmallNet", compression: compression, image: image,
      encoder: Sequential.keyed(
        ("conv", ConvBN(2, 2, kernel)), ("relu", LeakyReLU()),
        ("flatten", Reshape(.vector(image.count))), ("down", Dense(image.count, length))),
      decoder: Sequential.keyed(
        ("up", Dense(length, image.count)), ("map", Reshape(image)),
        (
          "refine",
          Residual(
            Sequential.keyed(
              ("conv1", ConvBN(2, 8, kernel)), ("relu", LeakyReLU()),
              ("conv2", ConvBN(8, 2, kernel))), activation: LeakyReLU())
        ),
        ("out", Convolution(2, 2, kernel, bias: true)), ("sigmoid", Pointwise.sigmoid)))
  }
}

/// The parts that the article on adding parts shows, as it shows them: they compile, and do what it says.
@Suite struct AddingAPartTests {
  @Test func articleShowsTheseTypes() throws {
    let article = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Documentation/csilink.docc/Articles/AddingAPart.md")
    let text = try String(contentsOf: article, encoding: .utf8)
    let source = try String(contentsOf: URL(filePath: #filePath), encoding: .utf8)
    let blocks = text.split(separator: "```swift\n").dropFirst().map {
      $0.split(separator: "```")[0]
    }
    let types = blocks.map { block in
      block.split(separator: "\n", omittingEmptySubsequences: false)
        .filter { !$0.hasPrefix("import ") }.joined(separator: "\n")
        .trimmingCharacters(in: .newlines)
    }.filter {
      $0.contains(": Quantizer") || $0.contains(": Metric") || $0.contains(": NetworkFamily")
    }
    #expect(types.count == 3)
    for type in types { #expect(source.contains(type), "\(type)") }
  }

  /// `1 - 2/π` of a unit Gaussian is left with the amplitude `sqrt(2/π)`.
  @Test func signQuantizerLeavesItsClosedForm() throws {
    var context = LinkContext(
      grid: LinkContext.Grid(toneCount: 8, spacingHz: 15e3, carrierHz: 3.5e9), seed: 1)
    context.codewordLength = 40_000
    let settings = try SignQuantizer.schema.settings([
      "amplitude": .number((2 / Double.pi).squareRoot())
    ])
    let quantizer = SignQuantizer(settings, in: context, fitted: nil)
    var stream = StreamKey(seed: 4, domain: .test, purpose: .initialisation).stream(drop: 0)
    let values = stream.normal(count: context.codewordLength)
    var (symbols, decoded) = (
      [UInt32](repeating: 9, count: values.count), [Float](repeating: 0, count: values.count)
    )
    values.withUnsafeBufferPointer { values in
      symbols.withUnsafeMutableBufferPointer {
        #expect(quantizer.symbols(of: values, into: $0) == 0)
      }
    }
    symbols.withUnsafeBufferPointer { symbols in
      decoded.withUnsafeMutableBufferPointer { quantizer.values(of: symbols, into: $0) }
    }
    let error = zip(values, decoded).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
    #expect(abs(error / Double(values.count) - (1 - 2 / Double.pi)) < 0.01)
  }

  /// A program of one's own trains its network and runs it behind its quantiser, with its column; and its family has the keys of
  /// every family.
  @Test func networkIsTrainedAndRun() throws {
    try withTemporaryFolder { folder in
      let reader = ScenarioReader(
        registry: PartRegistry.standard.adding(SignQuantizer.self, Outage.self)
          .with(NetworkZoo.standard.adding(SmallNet.self)))
      let path = "\(folder)/own.yaml"
      try """
      link:
        grid: {tones: 32}
        channel: {type: rayleigh, ports: 4, taps: 4}
        transform: {taps: 8}
        estimator: perfect
        normaliser: sample_max_modulus
        codec: {network: smallnet, compression: 4}
        precoder: {type: mrt, snr_db: 10}
      training: {samples: 40, validation_samples: 8, test_samples: 8, epochs: 2, batch: 10}
      run: {seed: 3, drops: 40}
      report: {columns: [outage]}
      """.write(toFile: path, atomically: true, encoding: .utf8)
      let pool = WorkerPool(threadCount: 2)
      for network in ["smallnet", "smallnet {binary: encoder}"] {
        let name = "codec.network='\(network)'"
        let training = try TrainingRun(
          reader.read(path, overrides: [name]).scenario, pool: pool)
        let trained = try #require(try training.execute(in: "\(folder)/weights"))
        #expect(trained[0].result.test.nmseDB.isFinite)
        let scenario = try reader.read(
          path,
          overrides: [
            name, "codec.weights=\(folder)/weights", "link.quantizer={type: sign, amplitude: 0.5}",
          ]
        ).scenario
        let run = try PreparedRun(scenario, pool: pool, artefactFolder: nil)
        let runner = Runner(run, pool: pool, folder: "\(folder)/\(network.count)")
        guard case .finished(let result) = try runner.execute() else {
          Issue.record("the run did not finish")
          return
        }
        let outage = try #require(result.points[0].number(Outage.columns[0]))
        #expect(result.points[0][.payloadBits] == 16 && (0...1).contains(outage))
      }
    }
  }
}
