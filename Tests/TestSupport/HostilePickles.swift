/// Pickles that want to run something, to take all memory or to lead in circles.
public enum HostilePickles {
  /// Names that a pickle should never be allowed to call.
  private static let callables = [
    ("posix", "system"), ("os", "system"), ("nt", "system"), ("subprocess", "Popen"),
    ("builtins", "eval"), ("builtins", "exec"), ("__builtin__", "eval"), ("builtins", "open"),
    ("pty", "spawn"), ("torch.hub", "load"), ("torch", "load"), ("runpy", "run_path"),
    ("importlib", "import_module"), ("builtins", "getattr"),
  ]

  /// The ways in which a pickle calls something.
  private static func calls(_ module: String, _ name: String, _ argument: String) -> [[UInt8]] {
    let global = Pickle.global(module, name)
    let text = Pickle.text(argument)
    let one = text + [0x85]
    return [
      global + one + [0x52],
      Array("(S'\(argument)'\ni\(module)\n\(name)\n".utf8),
      [0x28] + global + text + [0x6F],
      global + one + [0x81],
      global + one + [0x7D, 0x92],
      Pickle.text(module) + Pickle.text(name) + [0x93] + one + [0x52],
      global + [0x29, 0x81] + Pickle.dictionary([("__setstate__", global), ("cmd", text)]) + [0x62],
    ]
  }

  public static func executing(_ command: String) -> [[UInt8]] {
    callables.flatMap { calls($0.0, $0.1, command) }
  }

  /// Pickles that are larger than they look, or have no end.
  public static let bombs: [(name: String, object: [UInt8])] = {
    func nested(_ count: Int, _ opcode: UInt8) -> [UInt8] {
      [0x4E] + [UInt8](repeating: opcode, count: count)
    }
    // x = (x, x), many times: 2^35 values if all are walked.
    let laughs = Pickle.tensor() + (0..<35).flatMap { _ in [0x32, 0x86] as [UInt8] }
    let listLaughs =
      Pickle.tensor()
      + (0..<35).flatMap { index -> [UInt8] in
        [0x71, UInt8(index), 0x30, 0x5D, 0x28, 0x68, UInt8(index), 0x68, UInt8(index), 0x65]
      }
    let circle: [UInt8] = [0x5D, 0x71, 0, 0x68, 0, 0x61]
    let dictionaryCircle = [0x7D, 0x71, 0] + Pickle.text("a") + [0x68, 0, 0x73]
    let longName = String(repeating: "n", count: 1000)
    let names =
      Pickle.text(longName) + [0x71, 1, 0x30] + Pickle.tensor() + [0x71, 2, 0x30, 0x5D, 0x28]
      + (0..<2000).flatMap { _ in [0x7D, 0x68, 1, 0x68, 2, 0x73] as [UInt8] } + [0x65]
    return [
      ("text of 2^62 bytes", [0x8D] + Pickle.little(1 << 62, 8)),
      ("text of 2^32 bytes", [0x58, 0xFF, 0xFF, 0xFF, 0xFF]),
      ("bytes of 2^63 bytes", [0x8E, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
      ("integer of 2^31 bytes", [0x8B, 0xFF, 0xFF, 0xFF, 0x7F]),
      ("memo beyond memory", [0x4E, 0x72, 0xFF, 0xFF, 0xFF, 0xFF]),
      ("memo with a negative number", Array("Np-9\n".utf8)),
      ("unknown reference", [0x6A, 0xFF, 0xFF, 0xFF, 0xFF]),
      ("frame of 2^62 bytes", [0x95] + Pickle.little(1 << 62, 8)),
      ("line without end", Array("c".utf8) + [UInt8](repeating: 0x61, count: 100_000)),
      ("tuples in tuples", nested(200_000, 0x85)),
      (
        "lists in lists",
        [UInt8](repeating: 0x5D, count: 50_000) + [UInt8](repeating: 0x61, count: 49_999)
      ),
      ("dictionaries without end", [UInt8](repeating: 0x7D, count: 500_000)),
      ("marks without end", [UInt8](repeating: 0x28, count: 500_000)),
      ("doubled without end", [0x4E] + [UInt8](repeating: 0x32, count: 300_000)),
      ("doubled tuples", laughs), ("doubled lists", listLaughs),
      ("list in itself", circle), ("dictionary in itself", dictionaryCircle),
      ("names of a thousand bytes", names),
      (
        "level forty times",
        (0..<60).flatMap { _ in [0x7D] + Pickle.text("a") } + Pickle.tensor()
          + [UInt8](repeating: 0x73, count: 60)
      ),
      ("shape of 2^80 values", Pickle.tensor(shape: [1 << 40, 1 << 40], strides: [1, 1])),
      ("shape of 2^62 values, strides 0", Pickle.tensor(shape: [1 << 62], strides: [0])),
      ("strides beyond the storage", Pickle.tensor(strides: [1 << 62, 1])),
      ("strides that wrap around", Pickle.tensor(strides: [Int.max, Int.max])),
      ("offset beyond the storage", Pickle.tensor(offset: Int.max)),
      ("negative offset", Pickle.tensor(offset: -1)),
      ("negative length", Pickle.tensor(shape: [-2, -3])),
      ("negative stride", Pickle.tensor(strides: [-3, 1])),
      (
        "a hundred axes",
        Pickle.tensor(
          shape: [Int](repeating: 1, count: 100), strides: [Int](repeating: 1, count: 100))
      ),
      ("axes without strides", Pickle.tensor(strides: [1])),
      ("storage of 2^62 values", Pickle.tensor(Pickle.storage(count: 1 << 62))),
      ("storage of -1 values", Pickle.tensor(Pickle.storage(count: -1))),
      ("storage elsewhere", Pickle.tensor(Pickle.storage("../../../etc/passwd"))),
      ("storage of another type", Pickle.tensor(Pickle.storage(type: "QUInt8Storage"))),
      ("tensor of a call", Pickle.tensor(Pickle.global("os", "system") + [0x29, 0x52])),
      ("calling a number", [0x4B, 1, 0x29, 0x52]), ("calling without arguments", [0x52]),
      ("extension registry", [0x82, 1]), ("buffer outside", [0x97]), ("unknown opcode", [0xFE]),
      ("nothing", []), ("two values", [0x4E, 0x4E]), ("a mark left", [0x4E, 0x28]),
      ("pop beyond the mark", [0x4E, 0x28, 0x85]), ("items for a number", [0x4B, 1, 0x4E, 0x61]),
      ("key without value", [0x7D, 0x28, 0x4E, 0x75]),
      ("a number that is none", Array("Ix\n".utf8)),
      ("integer 2^64", Array("L18446744073709551616L\n".utf8)),
      ("persistent number", [0x4B, 1, 0x51]),
      ("state for nothing", [0x4E, 0x62]),
      (
        "pairs that are none",
        Pickle.global("collections", "OrderedDict") + [0x5D, 0x4E, 0x61, 0x85, 0x52]
      ),
    ]
  }()

  /// The bombs that are odd but stand for something small.
  public static let harmless: Set<String> = [
    "doubled tuples", "doubled lists", "list in itself", "dictionary in itself",
    "memo beyond memory", "memo with a negative number", "integer 2^64",
  ]
}
