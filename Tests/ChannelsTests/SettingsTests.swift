import Channels
import Parts
import Testing

/// Settings that do not go together, with the key that is to be named.
private let contradictions: [(model: String, settings: [String: Setting], key: String)] = [
  ("rayleigh", ["taps": .integer(3), "delays": .list([.number(0)])], "taps"),
  ("rayleigh", ["tap_spacing": .number(2), "delays": .list([.number(0)])], "tap_spacing"),
  ("rayleigh", ["tau_rms": .number(3)], "tau_rms"),
  ("rayleigh", ["profile": .text("exponential")], "tau_rms"),
  ("rayleigh", ["fading": .text("ar1"), "sinusoids": .integer(16)], "sinusoids"),
  ("rayleigh", ["correlation_coefficient": .number(0.5)], "correlation_coefficient"),
  ("rayleigh", ["correlation": .text("exponential")], "correlation_coefficient"),
  ("rayleigh", ["correlation": .text("one_ring")], "angle_spread"),
  ("tdl", ["profile": .text("A")], "delay_spread"),
  ("tdl", ["profile": .text("A30"), "delay_spread": .number(1e-7)], "delay_spread"),
  ("tdl", ["profile": .text("A30"), "mean_angle": .number(5)], "mean_angle"),
  ("cdl", cdl("A", ["k_factor": .number(3)]), "k_factor"),
  ("cdl", cdl("D", ["k_factor": .number(3), "delay_spread": .number(0)]), "k_factor"),
  ("cdl", cdl("A", ["rows": .integer(3)]), "rows"),
  ("cdl", cdl("A", ["vertical_spacing": .number(0.8)]), "vertical_spacing"),
  ("cdl", cdl("A", ["array": .text("upa"), "columns": .integer(3)]), "rows"),
  (
    "cdl",
    cdl(
      "A",
      ["array": .text("upa"), "columns": .integer(3), "rows": .integer(2), "ports": .integer(6)]),
    "ports"
  ),
  ("cdl", cdl("A", ["polarisation": .text("dual"), "ports": .integer(7)]), "ports"),
  ("cdl", cdl("A", ["scale_ray_offsets": .flag(true)]), "scale_ray_offsets"),
  ("cost2100", cost2100(["region_transition": .number(3)]), "region_transition"),
  ("cost2100", cost2100(["region_radius": .number(31)]), "region_radius"),
  ("cost2100", cost2100(["square_side": .number(22)]), "square_side"),
  ("cost2100", cost2100(["los_radius": .number(31)]), "los_radius"),
  (
    "cost2100",
    cost2100(["far_clusters": .number(0.1), "draw_far_clusters": .flag(false)]), "far_clusters"
  ),
  ("cost2100", cost2100(["region_transition": .number(2.719)]), "far_clusters"),
  ("cost2100", cost2100(["cell_radius": .number(1e4)]), "cell_radius"),
  (
    "cost2100", cost2100(["square_side": .number(2e3), "cell_radius": .number(5e3)]),
    "decay_per_us"
  ),
  ("cost2100", cost2100(["spread_correlation": .number(-0.6)]), "spread_correlation"),
  ("tr38901", umi(["office": .text("open")]), "office"),
  ("tr38901", umi(["path_loss": .flag(true)]), "path_loss"),
  (
    "tr38901",
    umi([
      "path_loss": .flag(true), "normalise": .text("dataset"), "ue_height": .number(0.9),
    ]), "ue_height"
  ),
  ("tr38901", umi(["environment_seed": .integer(3)]), "environment_seed"),
  ("tr38901", umi(["radius": .number(5)]), "radius"),
  ("tr38901", umi(["min_distance": .number(50), "radius": .number(40)]), "radius"),
  ("tr38901", umi(["area_radius": .number(5)]), "area_radius"),
  ("tr38901", umi(["area_centres": places([60, 0])]), "area_radius"),
  ("tr38901", umi(["area_centres": places([12, 0]), "area_radius": .number(5)]), "area_centres"),
  (
    "tr38901",
    umi(["area_centres": places([60, 0]), "area_radius": .number(5), "radius": .number(90)]),
    "radius"
  ),
  ("tr38901", umi(["columns": .integer(8)]), "columns"),
]

private func cost2100(_ more: [String: Setting]) -> [String: Setting] {
  ["environment": .text("indoor")].merging(more) { $1 }
}

private func cdl(_ profile: String, _ more: [String: Setting]) -> [String: Setting] {
  ["profile": .text(profile), "delay_spread": .number(1e-7)].merging(more) { $1 }
}

private func umi(_ more: [String: Setting]) -> [String: Setting] {
  ["scenario": .text("umi")].merging(more) { $1 }
}

private func places(_ places: [Double]...) -> Setting {
  .list(places.map { .list($0.map(Setting.number)) })
}

@Suite struct SettingsTests {
  @Test(arguments: contradictions.indices)
  func contradictionsNameTheirKey(_ index: Int) throws {
    let (name, given, key) = contradictions[index]
    let model = try #require(ChannelRegistry.models.first { $0.schema.name == name })
    let checked = try model.schema.settings(given)
    let error = #expect(throws: SettingsError.self) {
      try model.init(checked, in: LinkContext(grid: smallGrid), fitted: nil)
    }
    #expect(error?.key == key)
    #expect(error?.part == name)
  }
}
