import Parts
import Testing

@Suite struct DimensionTests {
  @Test(arguments: [
    (Dimension.time, "100 ns", 1e-7), (.time, "1ms", 1e-3), (.speed, "3 km/h", 3 / 3.6),
    (.frequency, "2.655 GHz", 2.655e9), (.time, "0.1 us", 1e-7), (.time, "1e-1 us", 1e-7),
    (.level, "-5", -5), (.level, "-5 dB", -5), (.time, "0", 0),
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

  static let meant: [(Dimension, String, ClosedRange<Double>, Double?, String?)] = [
    (.frequency, "30", 1...1e9, 20e3, "add a unit, for example '30 kHz'"),
    (.frequency, "30", 1...1e9, nil, "add a unit, for example '30 kHz'"),
    (.frequency, "2.6", 1e6...1e12, 2e9, "add a unit, for example '2.6 GHz'"),
    (.frequency, "30 GHz", 1...1e9, 20e3, "did you mean '30 kHz'?"),
    (.frequency, "30 khz", 1...1e9, 20e3, "did you mean '30 kHz'?"),
    (.frequency, "2mhz", 1...1e9, nil, "did you mean '2 MHz'?"),
    (.frequency, "3e4", 1...1e9, 20e3, "add a unit, for example '3e4 Hz'"),
    (.frequency, "30 k", 1...1e9, 20e3, "did you mean '30 kHz'?"),
    (.frequency, "30 s", 1...1e9, 20e3, nil), (.frequency, "fast", 1...1e9, 20e3, nil),
    (.frequency, "-30", 1...1e9, 20e3, nil),
    (.time, "100", 0...1e-4, nil, "add a unit, for example '100 ns'"),
    (.time, "1 s", 0...1e-4, 1e-6, "did you mean '1 us'?"),
    (.time, "5 µs", 0...1e-4, nil, "did you mean '5 us'?"),
    (.speed, "3 kmh", 0...1000, 0, "did you mean '3 km/h'?"),
    (.length, "500 km", 1...1e4, 100, "did you mean '500 m'?"),
    (.level, "20 db", -100...100, 10, "did you mean '20 dB'?"),
    (.level, "200 dB", -100...100, 10, nil),
    (.angle, "90°", 0...360, nil, "did you mean '90 deg'?"),
    (.plain, "7 x", 0...9, nil, nil),
  ]

  @Test(arguments: meant)
  func hints(
    dimension: Dimension, text: String, range: ClosedRange<Double>, usual: Double?, hint: String?
  ) {
    #expect(dimension.hint(for: text, in: range, near: usual) == hint)
  }

  /// Whatever is proposed is read, and lies in the range.
  @Test func everyHintIsRead() {
    for dimension in Dimension.allCases {
      for text in ["7", "0.3", "40 km", "8 MS", "1e3", "5 KM/H", "12 Ghz", "60 DEG"] {
        guard let hint = dimension.hint(for: text, in: 1e-9...1e12, near: 1) else { continue }
        let proposed = hint.split(separator: "'")[1]
        #expect(dimension.parse(String(proposed)) != nil, "\(dimension) \(text): \(hint)")
      }
    }
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

  @Test func listsEveryProblem() {
    let problems = Self.schema.problems(["bits": .integer(17), "bitz": .integer(1)])
    #expect(problems.map(\.key) == ["bitz", "bits", "fit.drops"])
    #expect(Self.schema.problems(["fit.drops": .integer(7)]).isEmpty)
  }

  @Test func nearest() {
    #expect(nearestWord(to: "estimater", among: ["pilots", "estimator"]) == "estimator")
    #expect(nearestWord(to: "snr", among: ["ideal", "snr_db", "snr_of_data"]) == "snr_db")
    #expect(nearestWord(to: "sl", among: ["ls", "lmmse"]) == "ls")
    #expect(nearestWord(to: "banana", among: ["ls", "lmmse"]) == nil)
    let rates = ["rate_low", "rate_high", "rate_5_percentile", "rate_bits_per_s_hz"]
    #expect(nearestWord(to: "rate", among: rates) == "rate_5_percentile")
    #expect(nearestWord(to: "rate", among: Array(rates.prefix(2))) == "rate_low")
    #expect(nearestWord(to: "rate", among: rates) { $0.contains("bits") } == "rate_bits_per_s_hz")
    #expect(nearestWord(to: "bits", among: rates + ["bitstream_x"]) == "bitstream_x")
    #expect(nearestWord(to: "percentile", among: rates) == "rate_5_percentile")
    #expect(nearestWord(to: "cent", among: rates) == nil)
  }
}

@Suite struct ValueKindTests {
  @Test(arguments: [("12", 12), ("1e6", 1_000_000), ("+3", 3), ("-4", -4), ("2.0", 2)])
  func readsWholeNumbers(text: String, value: Int) {
    #expect(ValueKind.integer(-10...10_000_000).parse(text) == .integer(value))
  }

  @Test(arguments: ["1.5", "1e30", "nan", "inf", "", "11000000", "ten"])
  func refusesOtherNumbers(text: String) {
    #expect(ValueKind.integer(-10...10_000_000).parse(text) == nil)
  }

  @Test(arguments: ["nan", "inf", "-inf", "1e999"])
  func refusesNumbersThatAreNot(text: String) {
    #expect(ValueKind.number(.plain, -1...1e300).parse(text) == nil)
    #expect(ValueKind.number(.level, -100...100).parse("\(text) dB") == nil)
  }

  static let formatted: [(ValueKind, String)] = [
    (.number(.time, 0...1), "100 ns"), (.integer(0...9), "7"), (.flag, "true"),
    (.choice(["a", "b"]), "b"),
    (.either([.choice(["auto"]), .number(.frequency, 0...1e10)]), "2.655 GHz"),
    (.either([.choice(["auto"]), .number(.frequency, 0...1e10)]), "auto"),
  ]

  @Test(arguments: formatted)
  func formatsAsItReads(kind: ValueKind, text: String) throws {
    #expect(kind.format(try #require(kind.parse(text))) == text)
  }

  /// The truth values of YAML 1.2's core schema, and no others of Python's or Fortran's.
  @Test func readsFlags() {
    for text in ["true", "True", "TRUE"] { #expect(ValueKind.flag.parse(text) == .flag(true)) }
    for text in ["false", "False", "FALSE"] { #expect(ValueKind.flag.parse(text) == .flag(false)) }
    for text in ["tRUE", "t", "1", "0", "T", ".true.", "none", ""] {
      #expect(ValueKind.flag.parse(text) == nil)
    }
  }

  @Test func formatsLists() {
    let kind = ValueKind.list(.number(.length, 0...1e4), count: 0...3)
    #expect(kind.format(.list([.number(0.5), .number(2000)])) == "[50 cm, 2 km]")
  }
}

@Suite struct PartRegistryTests {
  static let catalogue = PartRegistry(
    [
      PartSchema(
        .quantizer, "uniform", "Uniform steps.", reference: "Widrow and Kollar 2008",
        parameters: [
          Parameter.integer("bits", default: 4, in: 1...16, "Bits per value.").declaration,
          Parameter<String?>.optional("ranges", .file, "Fitted ranges.").declaration,
        ]),
      PartSchema(.quantizer, "none", "No quantisation."),
      PartSchema(
        .grid, "ofdm", "Sub-carriers.",
        parameters: [
          Parameter.number("spacing", .frequency, in: 1...1e9, "Sub-carrier spacing.").declaration
        ]),
      PartSchema(.channel, "tdl", "Tapped delay line."),
      PartSchema(.channel, "cdl", "Clustered delay line."),
    ], defaults: [.quantizer: "none"])

  @Test func findsParts() {
    #expect(Self.catalogue.sections == [.grid, .channel, .quantizer])
    #expect(Self.catalogue.parts(of: .channel).map(\.name) == ["tdl", "cdl"])
    #expect(Self.catalogue.part("uniform", of: .quantizer)?.parameters.count == 2)
    #expect(Self.catalogue.part("uniform", of: .grid) == nil)
  }

  @Test func choosesDefaults() {
    #expect(Self.catalogue.defaultPart(of: .quantizer)?.name == "none")
    #expect(Self.catalogue.defaultPart(of: .grid)?.name == "ofdm")
    #expect(Self.catalogue.defaultPart(of: .channel) == nil)
    #expect(Self.catalogue.defaultPart(of: .codec) == nil)
  }

  @Test func lists() {
    let expected = """
      grid (default: ofdm)
        ofdm: Sub-carriers.
          spacing: a frequency in 1 Hz...1 GHz with its unit (Hz, kHz, MHz, GHz); required
              Sub-carrier spacing.

      channel (must be given)
        tdl: Tapped delay line.
        cdl: Clustered delay line.

      quantizer (default: none)
        uniform: Uniform steps.
            Reference: Widrow and Kollar 2008
          bits: a whole number in 1...16; default 4
              Bits per value.
          ranges: a file path; optional
              Fitted ranges.
        none: No quantisation.

      """
    #expect(Self.catalogue.listing() == expected)
    #expect(Self.catalogue.listing(of: .channel).hasPrefix("channel (must be given)\n  tdl"))
  }

  @Test func wrapsLongTexts() {
    let text = Self.catalogue.listing(width: 40)
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 40 })
    let words = { (text: String) in text.split { $0 == " " || $0 == "\n" } }
    #expect(words(text) == words(Self.catalogue.listing()))
  }
}
