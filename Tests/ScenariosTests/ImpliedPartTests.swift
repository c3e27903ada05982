import Parts
import Scenarios
import Testing

/// `codec: {network: crnet}` is short for `codec: {type: network, network: crnet}`: a key that is a part's name means the
/// part, wherever a section is written.
@Suite struct ImpliedPartTests {
  private static func codec(_ link: String, set overrides: [String] = []) throws -> Settings {
    let point = try scenario("link:\n\(link)\nrun: {drops: 1}", set: overrides).points[0]
    return try #require(point.settings[.codec])
  }

  @Test(arguments: [
    "  codec: {network: crnet, compression: 8, weights: w}",
    "  codec: {compression: 8, weights: w, network: crnet}",
    "  codec:\n    network: crnet\n    compression: 8\n    weights: w",
    "  codec.network: crnet\n  codec: {compression: 8, weights: w}",
    "  codec: {type: network, network: crnet, compression: 8, weights: w}",
    "  codec.type: network\n  codec: {network: crnet}\n  codec.compression: 8\n  codec.weights: w",
  ])
  func inTheLink(link: String) throws {
    let codec = try Self.codec(link)
    #expect(codec.part == "network")
    #expect(
      codec.values
        == ["network": .text("crnet"), "compression": .integer(8), "weights": .text("w")])
  }

  @Test func onTheCommandLine() throws {
    let file = "  codec: {network: crnet, compression: 8, weights: w}"
    let other = try Self.codec(file, set: ["codec.network=clnet"])
    #expect(other.values["network"] == .text("clnet"))
    #expect(other.values["weights"] == .text("w"))
    #expect(try Self.codec(file, set: ["codec=pca"]).part == "pca")
    #expect(try Self.codec(file, set: ["codec.type=pca"]).part == "pca")
    // Another part keeps of the file's keys those that it has too.
    for (pca, kept) in [
      ("  codec: {type: pca, gain: unit}", [:]),
      ("  codec: {type: pca, compression: 16}", ["compression": .integer(16)]),
    ] as [(String, [String: Setting])] {
      let network = try Self.codec(pca, set: ["codec.weights=v", "codec.network=clnet"])
      #expect(network.part == "network")
      #expect(
        network.values == ["network": .text("clnet"), "weights": .text("v")].merging(kept) { $1 })
    }
    let whole = try Self.codec("  codec: pca", set: ["codec={network: clnet}"])
    #expect(whole.values == ["network": .text("clnet")])
  }

  @Test func inExtendedFiles() throws {
    let folder = try ScenarioFolder([
      "network.yaml": "link: {codec: {network: crnet, weights: w}}\nrun: {drops: 1}",
      "pca.yaml": "link: {codec: {type: pca, compression: 8}}\nrun: {drops: 1}",
      "ratio.yaml": "extends: network.yaml\nlink: {codec: {compression: 16}}",
      "other.yaml": "extends: network.yaml\nlink: {codec: {network: clnet}}",
      "switch.yaml": "extends: pca.yaml\nlink: {codec: {network: clnet}}",
      "back.yaml": "extends: network.yaml\nlink: {codec: pca}",
    ])
    func codec(_ name: String) throws -> Settings? {
      try folder.read(name).scenario.points[0].settings[.codec]
    }
    #expect(
      try codec("ratio.yaml")?.values
        == ["network": .text("crnet"), "weights": .text("w"), "compression": .integer(16)])
    #expect(
      try codec("other.yaml")?.values == ["network": .text("clnet"), "weights": .text("w")])
    #expect(
      try codec("switch.yaml")?.values == ["network": .text("clnet"), "compression": .integer(8)])
    #expect(try codec("back.yaml")?.part == "pca")
  }

  @Test func inSweeps() throws {
    let scenario = try scenario(
      """
      sweep:
        codec: [pca, {network: crnet, weights: w}, none]
        codec.compression: [4, 16]
      run: {drops: 1}
      """)
    #expect(
      scenario.points.map(\.coordinates) == [
        ["pca", "4"], ["pca", "16"], ["crnet", "4"], ["crnet", "16"], ["none", nil],
      ])
    #expect(
      scenario.points[3].settings[.codec]?.values
        == ["network": .text("crnet"), "weights": .text("w"), "compression": .integer(16)])
  }

  @Test(arguments: [
    "link: {codec: {network: bcsinet, weights: w}}\n", "link: {codec.weights: w}\n",
    "link: {codec: {type: network, weights: w}}\n",
  ])
  func theChoiceItselfCanBeSwept(link: String) throws {
    let scenario = try scenario("\(link)sweep: {codec.network: [clnet, crnet]}\nrun: {drops: 1}")
    #expect(scenario.points.map(\.coordinates) == [["clnet"], ["crnet"]])
    for (point, name) in zip(scenario.points, ["clnet", "crnet"]) {
      #expect(
        point.settings[.codec]?.values == ["network": .text(name), "weights": .text("w")])
    }
  }

  /// Entries of a sweep are called after the choice, and by what else tells them apart.
  @Test(arguments: [
    ("[{network: crnet}, {network: clnet}, pca]", ["crnet", "clnet", "pca"]),
    (
      "[{network: crnet, weights: a}, {network: crnet, weights: b}]",
      ["crnet weights=a", "crnet weights=b"]
    ),
    ("[{network: crnet}, {network: crnet, compression: 8}]", ["crnet", "crnet compression=8"]),
    (
      "[{network: crnet, label: best}, {type: network, network: crnet, compression: 8}]",
      ["best", "crnet"]
    ),
  ])
  func labels(entries: String, expected: [String]) throws {
    let scenario = try scenario("sweep: {codec: \(entries)}\nrun: {drops: 1}")
    #expect(scenario.axes[0].values == expected)
  }

  /// With the choice on an axis of its own, an entry is called after the part.
  @Test func labelsBesideASweptChoice() throws {
    let scenario = try scenario(
      "sweep: {codec: [pca, {network: crnet}], codec.network: [clnet, bcsinet]}\nrun: {drops: 1}")
    #expect(
      scenario.points.map(\.coordinates) == [
        ["pca", nil], ["network", "clnet"], ["network", "bcsinet"],
      ])
  }

  @Test func anOverrideOfTheChoiceEndsASweep() throws {
    let (scenario, warnings) = try demoReader.read(
      text: "sweep: {codec: [pca, {network: crnet}]}\nrun: {drops: 1}", path: "demo.yaml",
      overrides: ["codec.network=clnet"])
    #expect(scenario.points.map { $0.settings[.codec]?.values["network"] } == [.text("clnet")])
    #expect(warnings.map(\.message) == ["'codec' is swept by the scenario; now it has one value"])
  }

  @Test func theResolvedScenarioIsTheSame() throws {
    let first = try scenario(
      """
      link: {estimator: lmmse}
      sweep: {codec: [pca, {network: crnet, weights: w}, none], codec.compression: [4, 16]}
      run: {drops: 1}
      """)
    let again = try scenario(first.resolvedYAML())
    #expect(again.canonical == first.canonical)
    #expect(again.points.map(\.coordinates) == first.points.map(\.coordinates))
  }

  @Test(arguments: [
    (
      "link: {codec: {network: crnett}}", "1:25",
      "codec.network must be one of crnet, clnet, bcsinet, got 'crnett'", "did you mean 'crnet'?"
    ),
    (
      "link: {codec: {network: crnet, gain: unit}}", "1:32", "codec 'network' has no key 'gain'",
      "'gain' belongs to pca"
    ),
    (
      "link: {codec: {type: pca, network: crnet}}", "1:27", "codec 'pca' has no key 'network'",
      "'network' belongs to network"
    ),
    ("link: {codec: {pca: 8}}", "1:16", "codec 'pca' has no key 'pca'", "write 'codec: pca'"),
    ("link: {codec: network}", "1:15", "codec.network is required", "Name."),
    ("link: {codec: crnet}", "1:15", "unknown codec 'crnet'", "write 'codec: {network: crnet}'"),
    (
      "sweep: {codec: [pca, crnet]}", "1:22", "unknown codec 'crnet'",
      "write 'codec: {network: crnet}'"
    ),
    ("sweep: {codec: [{network: 8}]}", "1:27", "codec.network must be one of crnet", ""),
    (
      "link: {codec: {network: crnet}, codec.network: clnet}", "1:33",
      "key 'network' is given twice", ""
    ),
  ])
  func mistakes(text: String, place: String, message: String, hint: String) {
    #expect {
      try scenario("\(text)\nrun: {drops: 1}")
    } throws: { error in
      let text = "\(error)"
      return text.hasPrefix("demo.yaml:\(place): error: \(message)")
        && (hint.isEmpty || text.contains(hint))
    }
  }
}
