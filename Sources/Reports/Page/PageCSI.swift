import DataFiles
import Foundation
import LinkMath
import Simulation

extension ResultPage {
  /// A drop that is shown.
  private struct Shown {
    let row, drop: Int
    let word: String
    let errorRatio: Double
  }

  /// Angular-delay CSI of a typical and of the worst drop of some points, run again.
  func drops() -> PageContent.Section {
    var section = PageContent.Section(id: "csi", heading: "CSI of single drops")
    do {
      let (rows, conditions) = PageSelection.few(recorded, limit: 2)
      let shown = try rows.flatMap(chosen)
      guard !shown.isEmpty else {
        section.texts.append("\(PageContent.missing): no drop has an error of its CSI.")
        return section
      }
      let run = try recorded.preparedRun(pool: pool, progress: progress)
      for drop in shown {
        let replay = try Replay(run, point: drop.row, drop: drop.drop)
        _ = try recorded.confirms(replay, row: drop.row, drop: drop.drop)
        section.pictures.append(try CSIPicture(replay).picture(caption: caption(drop)))
      }
      section.texts.append(
        "True, estimated and reconstructed angular-delay CSI, modulus in dB below the largest true value, computed again from the random numbers of the drop."
          + (conditions.isEmpty ? "" : " Shown: \(conditions.joined(separator: ", ")).")
      )
    } catch let error as FigureError {
      section.texts.append("\(PageContent.missing): \(error.message).")
    } catch let error as ReplayError {
      section.texts.append("\(PageContent.missing): \(error.message).")
    } catch let error as JournalError {
      section.texts.append("\(PageContent.missing): \(error.path) \(error.problem).")
    } catch {
      section.texts.append("\(PageContent.missing): \(error)")
    }
    return section
  }

  /// The drop whose error is the median, and the one with the largest.
  private func chosen(_ row: Int) throws -> [Shown] {
    let name = DropNumber.errorRatio.name
    let values = try recorded.drops([name]).values(of: name, point: row) ?? []
    let sorted = values.enumerated().filter { !$0.element.isNaN }
      .sorted { ($0.element, $0.offset) < ($1.element, $1.offset) }
    guard let last = sorted.last else { return [] }
    let middle = sorted[sorted.count / 2]
    return [("typical", middle), ("worst", last)].map { word, drop in
      Shown(row: row, drop: drop.offset, word: word, errorRatio: drop.element)
    }
  }

  private func caption(_ shown: Shown) -> String {
    let place = recorded.axes.compactMap { axis in
      recorded.field(shown.row, axis).map { "\(axis)=\($0)" }
    }.joined(separator: ", ")
    let level = String(format: "%.2f dB", 10 * log10(shown.errorRatio))
    return "Drop \(shown.drop), \(shown.word) (NMSE \(level))"
      + (place.isEmpty ? "." : " at \(place).")
  }
}

/// True, estimated and reconstructed CSI of a drop side by side, drawn by gnuplot.
private struct CSIPicture {
  /// Weaker values are drawn as this level.
  private static let floor = -40.0
  private static let (width, height) = (960, 330)

  private struct Panel {
    let title: String
    /// Moduli [delay, angle].
    let values: [Double]
    let columns: Int
  }

  private let panels: [Panel]

  init(_ replay: Replay) {
    let arrays = replay.arrays.reduce(into: [:]) { $0[$1.info.name ?? ""] = $1 }
    panels = [("truth", "true"), ("csi", "estimated"), ("reconstruction", "reconstructed")]
      .compactMap { name, title in
        guard let array = arrays[name], array.info.isComplex, array.info.shape.count >= 2,
          case .float(let numbers) = array.values
        else { return nil }
        // The first user of the first report.
        let size = array.info.shape.suffix(2).reduce(1, *)
        let values = (0..<size).map { i in
          hypot(Double(numbers[2 * i]), Double(numbers[2 * i + 1]))
        }
        return Panel(title: title, values: values, columns: array.info.shape.last!)
      }
  }

  /// - Throws: ``FigureError`` if gnuplot is missing or fails.
  func picture(caption: String) throws -> PagePicture {
    let folder = NSTemporaryDirectory() + "csilink-csi-\(UUID().uuidString)"
    try AtomicFile.createFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try AtomicFile.write(script, to: "\(folder)/csi.gp")
    do throws(Gnuplot.Failure) {
      try Gnuplot.run(Gnuplot.find(), script: "csi.gp", inFolder: folder, outputs: ["csi.png"])
    } catch {
      throw FigureError(message: error.reason, hint: nil)
    }
    let png = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/csi.png"))
    let names = panels.map(\.title).joined(separator: ", ")
    return PagePicture(
      png: png, width: Self.width, height: Self.height,
      alternative: "Modulus over angle and delay of \(names) CSI. \(caption)", caption: caption)
  }

  private var script: String {
    let peak = panels.first?.values.max() ?? 1
    let blocks = panels.enumerated().map { index, panel in
      let rows = stride(from: 0, to: panel.values.count, by: panel.columns).map { row in
        panel.values[row..<row + panel.columns].map { value in
          numberText(max(20 * log10(value / peak), Self.floor).toTenths)
        }.joined(separator: " ")
      }
      return "$panel\(index) << EOD\n\(rows.joined(separator: "\n"))\nEOD"
    }
    let plots = panels.enumerated().map { index, panel in
      """
      set title \(GnuplotText.quoted(panel.title))
      \(index == 0 ? "set ylabel 'delay row'" : "unset ylabel; set format y ''")
      \(index == panels.count - 1 ? "set colorbox" : "unset colorbox")
      set lmargin at screen \(numberText(0.07 + 0.29 * Double(index)))
      set rmargin at screen \(numberText(0.33 + 0.29 * Double(index)))
      plot $panel\(index) matrix with image
      """
    }
    return """
      \(blocks.joined(separator: "\n"))
      set encoding utf8
      set terminal pngcairo noenhanced size \(Self.width),\(Self.height) font 'Arial,11' background '#ffffff'
      set output 'csi.png'
      set key off
      set tics nomirror out scale 0.5
      set palette defined (0 '#ffffff', 0.25 '#9ecae1', 0.6 '#3182bd', 1 '#08306b')
      set cbrange [\(numberText(Self.floor)):0]
      set cblabel 'dB' offset 1.5,0
      set xlabel 'angle column'
      set xrange [-0.5:*] noextend
      set yrange [-0.5:*] noextend
      set bmargin at screen 0.17
      set tmargin at screen 0.9
      set multiplot
      \(plots.joined(separator: "\n"))
      unset multiplot
      unset output
      """ + "\n"
  }
}

extension Double {
  fileprivate var toTenths: Double { (10 * self).rounded() / 10 }
}
