import Parts
import Testing

@Suite struct DimensionTests {
  @Test(arguments: [
    (Dimension.time, "100 ns", 100 * 1e-9), (.time, "1ms", 1e-3), (.speed, "3 km/h", 3 * (1 / 3.6)),
    (.frequency, "2.655 GHz", 2.655e9), (.level, "-5", -5), (.level, "-5 dB", -5), (.time, "0", 0),
  ])
  func reads(dimension: Dimension, text: String, value: Double) {
    #expect(dimension.parse(text) == value)
  }

  @Test(arguments: [
    (Dimension.time, "100"), (.time, "100 m"), (.time, "ns"), (.frequency, "3 km/h"), (.plain, "x"),
  ])
  func refuses(dimension: Dimension, text: String) {
    #expect(dimension.parse(text) == nil)
  }

  @Test func formatRoundTrips() {
    for dimension in Dimension.allCases {
      for value in [0.0, 1, 3e-8, 1e-7, 0.25, 2.655e9, -7.5, 1 / 3.0] {
        #expect(dimension.parse(dimension.format(value)) == value, "\(dimension) \(value)")
      }
    }
  }
}

@Suite struct PartSchemaTests {
  enum Mode: String, Choice { case fast, slow }
  static let bits = Parameter.integer("bits", default: 4, in: 1...16, "Bits per value.")
  static let mode = Parameter<Mode>.choice("mode", default: .fast, "Mode.")
  static let drops = Parameter.integer("fit.drops", in: 1...Int.max, "Fitting drops.")
  static let note = Parameter<String?>.optional("note", .text, "A note.")
  static let schema = PartSchema(
    .quantizer, "demo", "A demo.",
    parameters: [bits.declaration, mode.declaration, drops.declaration, note.declaration])

  @Test func fillsDefaults() throws {
    let settings = try Self.schema.settings(["fit.drops": .integer(7)])
    #expect(settings[Self.bits] == 4)
    #expect(settings[Self.mode] == .fast)
    #expect(settings[Self.drops] == 7)
    #expect(settings[Self.note] == nil)
    #expect(
      settings.canonical
        == "quantizer=demo\nquantizer.bits=4\nquantizer.fit.drops=7\nquantizer.mode=fast")
  }

  @Test func refuses() {
    #expect(throws: SettingsError.self) { try Self.schema.settings() }
    #expect(throws: SettingsError.self) {
      try Self.schema.settings(["fit.drops": .integer(7), "bits": .integer(17)])
    }
    #expect(throws: SettingsError.self) {
      try Self.schema.settings(["fit.drops": .integer(7), "bitz": .integer(1)])
    }
  }

  @Test func nearest() {
    #expect(nearestWord(to: "estimater", among: ["pilots", "estimator"]) == "estimator")
    #expect(nearestWord(to: "sl", among: ["ls", "lmmse"]) == "ls")
    #expect(nearestWord(to: "banana", among: ["ls", "lmmse"]) == nil)
  }
}
