import Foundation
import Reports
import Simulation
import Testing

@Suite struct ManifestTests {
  private let execution = Execution(
    startTime: Date(timeIntervalSince1970: 1_700_000_000), wallSeconds: 12.5, threads: 4,
    commandLine: ["csilink", "run", "a b/\"c\".yaml"], shards: ["one", "two"])

  @Test func holdsEverything() throws {
    try withFolder { folder in
      try Manifest.write(awkward, execution, toFolder: folder)
      let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/manifest.json"))
      let json = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      let expectedKeys: Set = [
        "format_version", "report_format", "name", "description", "scenario", "scenario_folder",
        "seed", "provenance",
        "start_time",
        "wall_seconds", "threads", "command_line", "shards",
      ]
      #expect(Set(json.keys) == expectedKeys)
      #expect(json["scenario"] as? String == awkward.resolvedScenario)
      #expect(json["start_time"] as? String == "2023-11-14T22:13:20Z")
      #expect(json["wall_seconds"] as? Double == 12.5)
      #expect(json["threads"] as? Int == 4)
      #expect(json["command_line"] as? [String] == execution.commandLine)
      #expect(json["shards"] as? [String] == ["one", "two"])
      let provenance = json["provenance"] as? [String: String]
      #expect(provenance?["scenario_digest"] == awkward.provenance.scenarioDigest)
      #expect(provenance?["kernel"] == "Haswell")
      #expect(provenance?["version"] == "0.1.0")
    }
  }

  @Test func seedsKeepAllDigits() {
    let largest = RunResult(
      scenarioName: "s", description: "", axes: [], points: [], seed: .max,
      provenance: awkward.provenance, resolvedScenario: "", sharesEnvironment: false)
    #expect(Manifest.text(of: largest, execution).contains("\"seed\" : 18446744073709551615"))
  }

  @Test func keysAreSorted() {
    let lines = Manifest.text(of: awkward, execution).split(separator: "\n")
    let keys = lines.filter { $0.hasPrefix("  \"") }
    #expect(keys.count == 13)
    #expect(keys == keys.sorted())
  }
}
