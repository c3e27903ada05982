import Scenarios
import Testing

/// The `paper` section of a scenario.
@Suite struct PaperTableTests {
  private static let base = """
    link:
      grid: {tones: 16, spacing: 30 kHz}
      codec: {type: pca, compression: 8}
    run: {drops: 10, seed: 3}
    paper:
      tolerance: 0.5
      budgets:
        long: {run.drops: 500, link.codec: {type: pca, compression: 4}}
        short: {run.drops: 5, judged: false}

    """
  private static let top = """
    extends: base.yaml
    paper:
      source: "N. Nobody: On {nothing}, 2020"
      table: 7
      passes: 2e6
      keys: [pilots.snr_db]
      published: [[0, -1.5], [10, -3]]
      budgets: {middle: {name: 'a, {b}', sweep.pilots.snr_db: [0, 10]}}
      orderings: [{key: pilots.snr_db, better: 10, worse: 0}]

    """

  @Test func isInheritedKeyByKey() throws {
    let folder = try ScenarioFolder(["base.yaml": Self.base, "top.yaml": Self.top])
    #expect(try folder.read("base.yaml").scenario.paper == nil)
    let paper = try #require(try folder.read("top.yaml").scenario.paper)
    #expect(paper.source == "N. Nobody: On {nothing}, 2020")
    #expect(paper.table == "7" && paper.tolerance == 0.5 && paper.passes == 2_000_000)
    #expect(paper.column == "nmse_db" && paper.note.isEmpty && paper.quoted.isEmpty)
    #expect(paper.cells.map(\.values) == [["0"], ["10"]])
    #expect(paper.cells.map(\.published) == [-1.5, -3])
    #expect(paper.budgets.map(\.name) == ["long", "short", "middle"])
    #expect(paper.budgets.map(\.isJudged) == [true, false, true])
    #expect(paper.budgets[1].overrides == ["run.drops=5"])
    #expect(paper.orderings.map(\.claim) == ["10 is better than 0"])
  }

  /// What a budget says means the same as the values of `--set`.
  @Test func overridesAreReadBackAsTheyAre() throws {
    let folder = try ScenarioFolder(["base.yaml": Self.base, "top.yaml": Self.top])
    let paper = try #require(try folder.read("top.yaml").scenario.paper)
    let long = try folder.read("top.yaml", set: paper.budgets[0].overrides).scenario
    let same = try folder.read(
      "top.yaml", set: ["run.drops=500", "codec={type: pca, compression: 4}"]
    ).scenario
    #expect(long.canonical == same.canonical)
    #expect(long.canonical != (try folder.read("top.yaml").scenario.canonical))
    let middle = paper.budgets[2].overrides
    #expect(middle.count == 2 && middle[1] == "sweep.pilots.snr_db=[0, 10]")
    #expect(middle[0] == "name=\"a, {b}\"")
  }

  /// The table is no part of what is run.
  @Test func doesNotEnterTheDigest() throws {
    let folder = try ScenarioFolder([
      "base.yaml": Self.base, "top.yaml": Self.top, "plain.yaml": "extends: base.yaml\n",
    ])
    let (table, plain) = (try folder.read("top.yaml"), try folder.read("plain.yaml"))
    #expect(table.scenario.canonical == plain.scenario.canonical)
    #expect(table.warnings.isEmpty)
  }
}
