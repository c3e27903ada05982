import DataFiles
import Simulation

/// Validation NMSE of trainings against the epoch, as SVG and PNG, with the gnuplot script behind them.
enum CurvePlot {
  static let scriptName = "curves.gp"

  /// - Returns: why the plot is missing; empty if all is well.
  /// - Throws: `DataFileError` if the folder cannot be written to.
  static func write(_ trained: [TrainedNetwork], title: String, toFolder folder: String)
    throws(DataFileError) -> [String]
  {
    try AtomicFile.write(script(trained, title: title), to: "\(folder)/\(scriptName)")
    do throws(Gnuplot.Failure) {
      try Gnuplot.run(
        Gnuplot.find(), script: scriptName, inFolder: folder,
        outputs: ["curves.svg", "curves.png"])
      return []
    } catch {
      return [
        "\(error.reason); to draw the curves, run in the result folder: gnuplot \(scriptName)"
      ]
    }
  }

  private static func script(_ trained: [TrainedNetwork], title: String) -> String {
    let curves = trained.enumerated().map { index, network in
      let file = "\(network.stem)-curve.csv"
      let colour = Figure.Style.colours[index % Figure.Style.colours.count]
      return "'\(file)' using 1:6 with lines linewidth 2 linecolor rgb '\(colour)' "
        + "dashtype \(index / Figure.Style.colours.count % 5 + 1) "
        + "title '\(network.network.title)'"
    }
    return """
      # Written by csilink. To draw the learning curves again: gnuplot \(scriptName)
      set encoding utf8
      set datafile separator ','
      set datafile commentschars '#e'
      set title \(GnuplotText.quoted(title)) font ',17'
      set border 3 linecolor rgb '#444444' linewidth 1
      set tics nomirror out scale 0.6 textcolor rgb '#222222'
      set grid xtics ytics linetype 1 linecolor rgb '#dddddd' linewidth 0.8
      set key top right
      set xlabel 'epoch'
      set ylabel 'validation NMSE (dB)'
      do for [format in 'svg png'] {
        if (format eq 'svg') {
          set terminal svg noenhanced rounded size 860,580 font 'Arial,15' background '#ffffff'
        } else {
          set terminal pngcairo noenhanced rounded size 1720,1160 font 'Arial,15' fontscale 1.55 \
      linewidth 2 background '#ffffff'
        }
        set output 'curves.'.format
        plot \\
          \(curves.joined(separator: ", \\\n    "))
        unset output
      }

      """
  }
}
