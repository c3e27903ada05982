import DataFiles
import Foundation
import TestSupport
import Testing

/// Checkpoints that want to run something, to take all memory or to lead in circles: each is refused or gives no more numbers
/// than it has bytes. `make fuzz` reads thousands more under a limit on memory.
@Suite struct HostileCheckpointTests {
  /// What a file leaves behind if anything in it runs.
  private static let marker = "was-here"

  /// Reads everything; nil if the file was refused.
  private static func numbers(_ path: String) throws -> Int? {
    do throws(DataFileError) {
      var count = 0
      for tensor in try TensorArchive(path).tensors { count += try tensor.floats().count }
      return count
    } catch {
      #expect(error.file == path && !error.expected.isEmpty && !error.found.isEmpty)
      return nil
    }
  }

  @Test(arguments: TorchContainer.allCases)
  func nothingIsExecuted(_ container: TorchContainer) throws {
    let folder = try TemporaryFolder()
    let marker = folder.path + "/" + Self.marker
    let objects = HostilePickles.executing("touch \(marker)")
    #expect(objects.count == 98)
    for object in objects {
      // Alone, beside a tensor, and as its name.
      for whole in [
        Pickle.tuple([object, Pickle.tensor()]),
        Pickle.dictionary([
          ("state_dict", Pickle.dictionary([("w", Pickle.tensor())])), ("e", object),
        ]),
        [0x7D] + object + Pickle.tensor() + [0x73],
      ] {
        let path = try folder.file("x.pt", container.file(Pickle.of(whole)))
        #expect(try Self.numbers(path).map { $0 <= 6 } ?? true)
      }
      #expect(!FileManager.default.fileExists(atPath: marker))
    }
  }

  @Test(arguments: TorchContainer.allCases)
  func nothingGrows(_ container: TorchContainer) throws {
    let folder = try TemporaryFolder()
    for (name, object) in HostilePickles.bombs {
      let isAccepted = HostilePickles.harmless.contains(name)
      let whole = isAccepted ? Pickle.tuple([object, Pickle.tensor()]) : object
      let bytes = container.file(Pickle.of(whole))
      let count = try Self.numbers(folder.file("x.pt", bytes))
      if isAccepted {
        #expect(count.map { $0 <= bytes.count } == true, "\(name)")
      } else {
        #expect(count == nil || count == 0, "\(name)")
      }
    }
  }

  static let damaged = [
    ("crnet_16_legacy.pth", 300), ("crnet_16_zip.pth", 200), ("types_legacy.pt", 1000),
    ("types_protocol4.pt", 500), ("whole.pt", 500), ("csinet_last_16.h5", 1000),
  ]

  @Test(arguments: damaged) func damageIsSurvived(_ name: String, _ count: Int) throws {
    let folder = try TemporaryFolder()
    let bytes = Array(try Data(contentsOf: URL(filePath: CheckpointTests.path(name))))
    var random = Generator(state: 5)
    var refused = 0
    for _ in 0..<count {
      let damaged = mutated(bytes, &random)
      let numbers = try Self.numbers(folder.file(name, damaged))
      if let numbers { #expect(numbers <= 16 * damaged.count) } else { refused += 1 }
    }
    #expect(refused > 0)
  }

  /// The pickle of an archive is damaged and its checksum made right again.
  @Test func damagedPicklesAreSurvived() throws {
    let folder = try TemporaryFolder()
    let object = Pickle.of(
      Pickle.dictionary([
        ("a", Pickle.tensor()), ("b", Pickle.tuple([Pickle.tensor(), Pickle.integer(5)])),
        (
          "c",
          Pickle.global("a.b", "C") + [0x29, 0x81] + Pickle.dictionary([("d", Pickle.tensor())]) + [
            0x62
          ]
        ),
      ]))
    var random = Generator(state: 6)
    var refused = 0
    for _ in 0..<3000 {
      let file = TorchContainer.zip.file(mutated(object, &random))
      if try Self.numbers(folder.file("p.pt", file)) == nil { refused += 1 }
    }
    #expect(refused > 1000 && refused < 3000)
  }
}
