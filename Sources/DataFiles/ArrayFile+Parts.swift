import Foundation

extension ArrayFile {
  /// Ends or beginnings of names of real parts, and what stands there in those of the imaginary parts.
  private static let partWords = [
    ("real", "imag"), ("real", "imaginary"), ("re", "im"), ("r", "i"),
  ]

  /// How to join real and imaginary parts that a file has as two arrays: a line of Python or MATLAB that makes a file of complex numbers.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - variable: one of the two; any pair if nil.
  /// - Returns: nil for a file without such arrays, and for one that cannot be read.
  package static func joining(_ path: String, variable: String? = nil) -> String? {
    (try? list(path)).flatMap { joining($0, path, variable: variable) }
  }

  static func joining(_ arrays: [ArrayInfo], _ path: String, variable: String? = nil) -> String? {
    let reals = arrays.filter { !$0.isComplex && $0.name != nil }
    for array in reals {
      for (name, partner) in partners(of: array.name!) {
        guard variable == nil || variable == name || variable == partner,
          let other = reals.first(where: { $0.name == partner }), other.shape == array.shape,
          ![name, partner].contains(where: { $0.contains { "'\\\"".contains($0) } })
        else { continue }
        return command(path, name, partner)
      }
    }
    return nil
  }

  /// A name, if it can be one of real parts, with those that the imaginary parts may have.
  private static func partners(of name: String) -> [(String, String)] {
    partWords.flatMap { real, imaginary in
      // As long as the part's letters are: `H_re`, `Re`, `HREAL`.
      let forms =
        [(real, imaginary), (real.capitalized, imaginary.capitalized)]
        + [(real.uppercased(), imaginary.uppercased())]
      return forms.flatMap { real, imaginary -> [(String, String)] in
        var pairs: [(String, String)] = []
        if name.hasSuffix(real) { pairs.append((name, name.dropLast(real.count) + imaginary)) }
        if name.hasPrefix(real) { pairs.append((name, imaginary + name.dropFirst(real.count))) }
        return pairs
      }
    }
  }

  private static func command(_ path: String, _ real: String, _ imaginary: String) -> String {
    let file = path.nameOfPath
    let stem = file.withoutEnding
    let start =
      "'\(printable(real))' and '\(printable(imaginary))' look like real and imaginary parts; join them"
    if ArrayFormat.suffix(of: path) == "mat" {
      return "\(start), in MATLAB: load('\(file)'); H = complex(\(real), \(imaginary)); "
        + "save('\(stem)-complex.mat', 'H', '-v7.3')"
    }
    let (open, value) =
      switch ArrayFormat.suffix(of: path) ?? "" {
      case "h5", "hdf5": ("h5py.File('\(file)')", { "d['\($0)'][()]" })
      case "safetensors": ("safetensors.numpy.load_file('\(file)')", { "d['\($0)']" })
      default: ("numpy.load('\(file)')", { "d['\($0)']" })
      } as (String, (String) -> String)
    return "\(start), in Python: d = \(open); "
      + "numpy.save('\(stem)-complex.npy', \(value(real)) + 1j * \(value(imaginary)))"
  }
}
