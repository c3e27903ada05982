import DataFiles
import Datasets
import Foundation

/// Pictures of a data set: mean energy map, samples, profiles over delay and angle, PCA curve; as SVG and PNG, with the
/// gnuplot script and data behind them.
public enum DatasetPlots {
  static let scriptName = "dataset.gp"
  static let dataName = "dataset.dat"

  /// Draws what the description has.
  ///
  /// - Returns: why pictures are missing, for the user; empty if all is well.
  /// - Throws: `DataFileError` if the folder cannot be written to.
  public static func write(_ description: DatasetDescription, toFolder folder: String) throws
    -> [String]
  {
    guard let channels = description.channels else {
      return ["no plots: \(description.hint ?? "there are no figures of channels")"]
    }
    try AtomicFile.createFolder(folder)
    let title = description.path.nameOfPath
    try AtomicFile.write(data(channels), to: "\(folder)/\(dataName)")
    try AtomicFile.write(script(channels, title: title), to: "\(folder)/\(scriptName)")
    do throws(Gnuplot.Failure) {
      try Gnuplot.run(
        Gnuplot.find(), script: scriptName, inFolder: folder,
        outputs: pictureNames(channels).flatMap { ["\($0).svg", "\($0).png"] })
    } catch {
      return ["\(error.reason); to draw the plots, run in the folder: gnuplot \(scriptName)"]
    }
    return []
  }

  private static func pictureNames(_ channels: ChannelDescription) -> [String] {
    ["map", "delay-profile", "angle-profile"] + channels.samples.indices.map { "drop-\($0)" }
      + (channels.pca == nil ? [] : ["pca"])
  }

  /// Blocks: profile over delay, over angle, PCA, mean map, samples.
  private static func data(_ channels: ChannelDescription) -> String {
    let pairs = { (values: [Double]) in
      values.enumerated().map { "\($0.offset) \(numberText($0.element))" }
    }
    let columns = channels.columns
    let matrix = { (values: [Double]) in
      stride(from: 0, to: values.count, by: columns).map { row in
        values[row..<row + columns].map { numberText($0) }.joined(separator: " ")
      }
    }
    let curve = channels.pca?.points.map { "\($0.components) \(numberText($0.nmseDb))" } ?? ["0 0"]
    var blocks = [
      ["# delay row, share of energy"] + pairs(channels.rowEnergy),
      ["# angle column, share of energy"] + pairs(channels.columnEnergy),
      ["# components, NMSE in dB"] + curve,
      ["# mean share [delay, angle]"] + matrix(channels.meanMap),
    ]
    for (index, sample) in channels.samples.enumerated() {
      blocks.append(["# drop \(index): modulus [delay, angle]"] + matrix(sample.map { Double($0) }))
    }
    return blocks.map { $0.joined(separator: "\n") + "\n" }.joined(separator: "\n\n")
  }

  private static func script(_ channels: ChannelDescription, title: String) -> String {
    var plots = [
      picture("map", "mean energy", 3, "log10($3 + 1e-12) * 10", "dB"),
      profile("delay-profile", "delay row", 0), profile("angle-profile", "angle column", 1),
    ]
    for index in channels.samples.indices {
      plots.append(picture("drop-\(index)", "modulus of drop \(index)", 4 + index, "$3", ""))
    }
    if channels.pca != nil {
      plots.append(
        """
          set output 'pca.'.format
          set title name.': principal components'
          set xlabel 'real components'
          set ylabel 'NMSE (dB)'
          set logscale x 2
          plot data index 2 using 1:2 with linespoints linecolor rgb '#0072b2' pointtype 7
          unset logscale x
          unset output
        """)
    }
    return """
      # Written by csilink. To draw the plots again: gnuplot \(scriptName)
      set encoding utf8
      data = '\(dataName)'
      name = \(GnuplotText.quoted(title))
      set grid linetype 1 linecolor rgb '#dddddd'
      set key off
      set tics nomirror out
      set palette defined (0 '#ffffff', 0.25 '#9ecae1', 0.6 '#3182bd', 1 '#08306b')
      do for [format in 'svg png'] {
        if (format eq 'svg') {
          set terminal svg noenhanced size 720,540 font 'Arial,15' background '#ffffff'
        } else {
          set terminal pngcairo noenhanced size 1440,1080 font 'Arial,15' fontscale 1.55 linewidth 2 background '#ffffff'
        }
      \(plots.joined(separator: "\n"))
      }
      """ + "\n"
  }

  /// A matrix with delay upwards and angle to the right.
  private static func picture(
    _ name: String, _ title: String, _ index: Int, _ value: String, _ unit: String
  ) -> String {
    """
      set output '\(name).'.format
      set title name.': \(title)'
      set xlabel 'angle column'
      set ylabel 'delay row'
      set cblabel '\(unit)'
      set xrange [-0.5:*] noextend
      set yrange [-0.5:*] noextend
      plot data index \(index) matrix using 1:2:(\(value)) with image
      set autoscale
      unset output
    """
  }

  private static func profile(_ name: String, _ label: String, _ index: Int) -> String {
    """
      set output '\(name).'.format
      set title name.': energy'
      set xlabel '\(label)'
      set ylabel 'share of a drop (dB)'
      plot data index \(index) using 1:(10 * log10($2 + 1e-12)) with linespoints linecolor rgb '#0072b2' pointtype 7
      unset output
    """
  }
}
