import ArgumentParser
import DataFiles
import Datasets
import Link
import Parts

extension RecordOptions.Layout: ExpressibleByArgument {}
extension AngularDelayTransform.Direction: ExpressibleByArgument {}

/// A frequency such as `15 kHz`, in hertz.
struct Frequency: ExpressibleByArgument {
  let hertz: Double

  init?(argument: String) {
    guard let hertz = Parts.Dimension.frequency.parse(argument), hertz > 0, hertz.isFinite else {
      return nil
    }
    self.hertz = hertz
  }
}

/// The arguments that tell what an array means; a generated data set tells it itself.
struct RecordOptionGroup: ParsableArguments {
  @Option(help: "Name of the array, if the file has several; s.H in a struct.") var variable:
    String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Axes in the order of the file, such as drop slot angle delay, or MATLAB's tone port drop; part: real and imaginary part.",
      valueName: "axis"))
  var axes: [String] = []

  @Option(help: "Angles of layout csinet, 32 if left out.") var ports: Int?
  @Option(help: "Tones of the grid that delay rows are from.") var tones: Int?
  @Option(help: "Distance between tones, such as '78.125 kHz'.") var spacing: Frequency?
  @Option(help: "Delay rows that are kept; 32 if left out.") var taps: Int?
  @Option(help: "Kept rows before delay zero.") var guardRows: Int?
  @Option(help: "Direction of the DFT over ports: forward or inverse.")
  var angleDft: AngularDelayTransform.Direction?
  @Option(help: "Columns that the angles are rotated by.") var angleShift: Int?

  func validate() throws {
    for (name, value, least) in [
      ("ports", ports, 1), ("tones", tones, 1), ("taps", taps, 1), ("guard-rows", guardRows, 0),
    ] {
      if let value, !(least...1 << 20).contains(value) {
        throw ValidationError("--\(name) must be at least \(least), got \(value)")
      }
    }
    if let guardRows, guardRows >= taps ?? 32 {
      throw ValidationError("--guard-rows must be below --taps, got \(guardRows)")
    }
  }

  func options(_ layout: RecordOptions.Layout?) -> RecordOptions {
    var options = RecordOptions()
    options.layout = layout
    options.axes = axes.isEmpty ? nil : axes
    options.ports = ports
    options.tones = tones
    options.spacingHz = spacing?.hertz
    options.taps = taps
    options.guardRows = guardRows
    options.angleDFT = angleDft
    options.angleShift = angleShift
    return options
  }
}

/// Runs the body; options that do not fit are wrong usage.
func namingOptions<Result>(_ body: () throws -> Result) throws -> Result {
  do {
    return try body()
  } catch let error as RecordOptionError {
    throw ValidationError("\(error)")
  }
}
