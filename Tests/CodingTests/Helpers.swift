import Coding
import DataFiles
import LinkMath
import Parts
import Testing

func stream(_ drop: Int, instance: Int = 0) -> RandomStream {
  StreamKey(seed: 2024, domain: .test, purpose: .channel, instance: instance).stream(drop: drop)
}

/// Arrays of the golden vectors of quantisers.
func golden(_ name: String) throws -> [Double] {
  try ArrayFile.read(
    codingFixtures.appending(path: "methods.safetensors").path, variable: name
  ).doubles()
}

/// Independent standard normal codewords [drop, M].
func gaussian(_ drops: Int, _ length: Int, instance: Int = 0) -> RealArray {
  var random = stream(0, instance: instance)
  return RealArray(random.normal(count: drops * length), shape: [drops, length])
}

func context(_ codewordLength: Int, alphabets: [Int] = []) -> LinkContext {
  var context = LinkContext(
    grid: .init(toneCount: 64, spacingHz: 15e3, carrierHz: 2e9), seed: 1)
  context.codewordLength = codewordLength
  context.alphabets = alphabets
  return context
}

/// Fits the part on inputs and makes it.
func make<P: Part>(
  _ part: P.Type, _ given: [String: Setting] = [:], in context: LinkContext,
  fittedOn inputs: [StageInput] = []
) throws -> P {
  let settings = try P.schema.settings(given)
  let artefact = try P.fitting(settings, in: context).map { fitting in
    var fitter = fitting.makeFitter()
    for input in inputs { fitter.add(input) }
    let artefact = try fitter.finish()
    #expect(artefact.arrays.mapValues(\.shape) == fitting.shapes)
    // Checking a scenario makes the part of a placeholder.
    _ = try P(settings, in: context, fitted: fitting.placeholder)
    return artefact
  }
  return try P(settings, in: context, fitted: artefact)
}

extension Quantizer {
  /// The symbols of each codeword [drop, M].
  func symbols(of codewords: RealArray) -> [[UInt32]] {
    let length = codewords[dimension: 1]
    return codewords.withUnsafeElements { values in
      (0..<codewords[dimension: 0]).map { drop in
        var symbols = [UInt32](repeating: 0, count: alphabets!.count)
        let row = UnsafeBufferPointer(rebasing: values[drop * length..<(drop + 1) * length])
        _ = symbols.withUnsafeMutableBufferPointer { self.symbols(of: row, into: $0) }
        return symbols
      }
    }
  }

  /// What codewords [drop, M] come back as.
  func roundTrip(_ codewords: RealArray) -> RealArray {
    var result = codewords
    let length = codewords[dimension: 1]
    for (drop, symbols) in symbols(of: codewords).enumerated() {
      #expect(zip(symbols, alphabets!).allSatisfy { Int($0) < $1 })
      symbols.withUnsafeBufferPointer { symbols in
        result.withUnsafeMutableElements {
          values(
            of: symbols,
            into: UnsafeMutableBufferPointer(rebasing: $0[drop * length..<(drop + 1) * length]))
        }
      }
    }
    return result
  }

  /// One codeword in doubles, as golden vectors are.
  func roundTrip(_ values: [Double]) -> (symbols: [UInt32], values: [Double]) {
    let codeword = RealArray(values.map { Float($0) }, shape: [1, values.count])
    return (symbols(of: codeword)[0], roundTrip(codeword).elements.map(Double.init))
  }
}

/// Mean of squared differences.
func meanSquaredError(_ a: RealArray, _ b: RealArray) -> Double {
  zip(a.elements, b.elements).reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
    / Double(a.count)
}

extension SymbolCoder {
  func bits(_ symbols: [UInt32], behind head: BitString = BitString()) -> BitString {
    var bits = head
    symbols.withUnsafeBufferPointer { write($0, to: &bits) }
    return bits
  }

  func symbols(_ bits: BitString, count: Int, behind head: Int = 0) -> [UInt32] {
    var reader = BitReader(bits)
    _ = reader.readString(head)
    var symbols = [UInt32](repeating: .max, count: count)
    symbols.withUnsafeMutableBufferPointer { read(&reader, into: $0) }
    return symbols
  }
}
