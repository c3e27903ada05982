import LinkMath

extension ONNXExport {
  /// The quantiser that was trained with a network as the bytes of an ONNX file: `codeword` [batch, M] to `symbols`, whole numbers,
  /// and `quantized` [batch, M], the codeword that the decoder gets.
  ///
  /// - Parameters:
  ///   - tables: what the training left beside the weights: `bits`, `levels` and `thresholds` of scalar codebooks, or a `codebook` of vectors.
  ///   - length: reals of a codeword, M.
  ///   - notes: texts that the file keeps.
  /// - Throws: ``NetworkError/unexpectedValue(_:expected:)`` for tables that do not fit.
  public static func quantizer(
    _ tables: [String: RealArray], length: Int, notes: [String: String] = [:]
  ) throws(NetworkError) -> [UInt8] {
    var writer = ONNXGraphWriter([], Weights())
    writer.input("codeword", [length])
    if let codebook = tables["codebook"] {
      try vectors(codebook, length, &writer)
    } else {
      try scalars(tables, length, &writer)
    }
    return writer.model("quantizer", producer: producer, notes: notes)
  }

  /// The index of a value is the number of thresholds at or below it.
  private static func scalars(
    _ tables: [String: RealArray], _ length: Int, _ writer: inout ONNXGraphWriter
  ) throws(NetworkError) {
    let names = ["bits", "levels", "thresholds"]
    let arrays = names.compactMap { tables[$0]?.elements }
    guard arrays.count == 3, arrays[0].count == length,
      arrays[0].allSatisfy({ (0...16).contains($0) && $0.rounded() == $0 })
    else { throw .unexpectedValue("quantizer.bits", expected: "0 to 16 for each output") }
    let sizes = arrays[0].map { 1 << Int($0) }
    let total = sizes.reduce(0, +)
    guard arrays[1].count == total, arrays[2].count == total else {
      throw .unexpectedValue("quantizer.levels", expected: "2^bits levels for each output")
    }
    let widest = sizes.max()! - 1
    var (starts, limits, start) = ([Int](), [Float](), 0)
    for size in sizes {
      starts.append(start)
      limits += arrays[2][start..<start + size - 1]
      limits += [Float](repeating: .infinity, count: widest - size + 1)
      start += size
    }
    let symbols: String
    if widest > 0 {
      let x = writer.reshaped("codeword", [length, 1])
      let above = writer.node("GreaterOrEqual", [x, writer.constant([length, widest], limits)])
      symbols = writer.node(
        "ReduceSum", [writer.node("Cast", [above], ["to": .integer(7)]), writer.integers([2])],
        ["keepdims": .integer(0)])
    } else {
      let zero = writer.scaled("codeword", by: 0)
      symbols = writer.node("Cast", [zero], ["to": .integer(7)])
    }
    let places = writer.node("Add", [symbols, writer.integers(starts)])
    let levels = writer.node("Gather", [writer.constant([total], arrays[1]), places])
    finish(symbols, length, levels, length, &writer)
  }

  /// The nearest vector of each group has the largest `x·c - |c|² / 2`.
  private static func vectors(
    _ codebook: RealArray, _ length: Int, _ writer: inout ONNXGraphWriter
  ) throws(NetworkError) {
    guard codebook.shape.count == 2, codebook.shape[1] > 0, length % codebook.shape[1] == 0 else {
      throw .unexpectedValue("quantizer.codebook", expected: "vectors that divide the codeword")
    }
    let (count, size) = (codebook.shape[0], codebook.shape[1])
    let values = codebook.elements
    let turned = (0..<size * count).map { values[$0 % count * size + $0 / count] }
    let energies = (0..<count).map { i in
      -values[i * size..<(i + 1) * size].reduce(Float(0)) { $0 + $1 * $1 } / 2
    }
    let groups = writer.reshaped("codeword", [length / size, size])
    let products = writer.node("MatMul", [groups, writer.constant([size, count], turned)])
    let scores = writer.node("Add", [products, writer.constant([count], energies)])
    let symbols = writer.node(
      "ArgMax", [scores], ["axis": .integer(2), "keepdims": .integer(0)])
    let picked = writer.node("Gather", [writer.constant([count, size], values), symbols])
    finish(symbols, length / size, writer.reshaped(picked, [length]), length, &writer)
  }

  private static func finish(
    _ symbols: String, _ symbolCount: Int, _ values: String, _ length: Int,
    _ writer: inout ONNXGraphWriter
  ) {
    writer.integerOutput("symbols", [symbolCount])
    writer.output("quantized", [length])
    writer.append("Identity", [symbols], outputs: ["symbols"])
    writer.append("Identity", [values], outputs: ["quantized"])
  }
}
