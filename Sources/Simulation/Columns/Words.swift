extension String {
  /// The words of a key or a column, as figures write them: `pilots.snr_db` becomes `pilot SNR`.
  ///
  /// A unit at the end is left out; abbreviations of the field have their capitals.
  public var inWords: String {
    var text = self
    for ending in ["_db", "_bits_per_s_hz"] where text.hasSuffix(ending) {
      text.removeLast(ending.count)
    }
    return text.split { $0 == "." || $0 == "_" }
      .map { Self.abbreviations[String($0)] ?? String($0) }.joined(separator: " ")
  }

  private static let abbreviations = [
    "nmse": "NMSE", "snr": "SNR", "sgcs": "SGCS", "csi": "CSI", "ue": "UE", "bs": "BS",
    "aod": "AoD", "pilots": "pilot", "mse": "MSE", "ofdm": "OFDM", "dft": "DFT", "crc": "CRC",
  ]
}
