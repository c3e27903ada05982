import Codecs
import ComplexModule
import LinkMath
import Parts

func context(taps: Int, angles: Int, codewordLength: Int = 0) -> LinkContext {
  var context = LinkContext(
    grid: .init(toneCount: 64, spacingHz: 15e3, carrierHz: 2e9), seed: 1)
  context.tapCount = taps
  context.portCount = angles
  context.codewordLength = codewordLength
  return context
}

/// Fits the part on inputs given in portions and makes it.
func make<P: Part>(
  _ part: P.Type, _ given: [String: Setting] = [:], in context: LinkContext,
  fittedOn inputs: [StageInput] = []
) throws -> (part: P, artefact: Artefact?) {
  let settings = try P.schema.settings(given)
  let fitting = try P.fitting(settings, in: context)
  let artefact = try fitting.map { fitting in
    var fitter = fitting.makeFitter()
    for input in inputs { fitter.add(input) }
    return try fitter.finish()
  }
  return (try P(settings, in: context, fitted: artefact), artefact)
}

func stream(_ drop: Int, instance: Int = 0) -> RandomStream {
  StreamKey(seed: 2024, domain: .test, purpose: .channel, instance: instance).stream(drop: drop)
}

/// Independent CN(0, power) entries [drop, delay, angle]; the power decays over the delays if `decay` is given.
func gaussianCSI(drops: Int, taps: Int, angles: Int, decay: Double = 0, instance: Int = 0)
  -> ComplexArray
{
  var csi = ComplexArray(uninitialized: [drops, taps, angles])
  csi.withUnsafeMutableElements { csi in
    for drop in 0..<drops {
      var random = stream(drop, instance: instance)
      let normal = random.normal(count: 2 * taps * angles)
      for i in 0..<taps * angles {
        let scale = Float.exp(-Float(decay) * Float(i / angles)) * Float(0.5).squareRoot()
        csi[drop * taps * angles + i] =
          ComplexFloat(normal[2 * i], normal[2 * i + 1]).multiplied(by: scale)
      }
    }
  }
  return csi
}

/// Independent standard normal codewords [drop, M].
func gaussianCodewords(drops: Int, length: Int, instance: Int = 0) -> RealArray {
  var random = stream(0, instance: instance)
  return RealArray(random.normal(count: drops * length), shape: [drops, length])
}

/// Mean of squared differences, in double precision.
func meanSquaredError(_ a: RealArray, _ b: RealArray) -> Double {
  zip(a.elements, b.elements).reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
    / Double(a.count)
}

/// Energy of the difference over the energy of `truth`, both summed over all drops.
func ratioOfSums(_ truth: ComplexArray, _ other: ComplexArray) -> Double {
  zip(truth.elements, other.elements).reduce(0) { $0 + Double(($1.0 - $1.1).lengthSquared) }
    / truth.energy
}

struct Quantized {
  var payloads: [BitString]
  var values: RealArray
  var outside: Int
}

/// Every codeword through the quantiser's bits and back, with the bits changed in between.
func roundTrip(
  _ quantizer: some Quantizer, _ codewords: RealArray,
  harm: (Int, inout BitString) -> Void = { _, _ in }
) -> Quantized {
  let length = codewords[dimension: 1]
  var result = Quantized(payloads: [], values: codewords, outside: 0)
  codewords.withUnsafeElements { values in
    result.values.withUnsafeMutableElements { back in
      for drop in 0..<codewords[dimension: 0] {
        let row = drop * length..<(drop + 1) * length
        var bits = BitString()
        result.outside += quantizer.quantize(
          UnsafeBufferPointer(rebasing: values[row]), into: &bits)
        harm(drop, &bits)
        result.payloads.append(bits)
        var reader = BitReader(bits)
        quantizer.dequantize(&reader, into: UnsafeMutableBufferPointer(rebasing: back[row]))
      }
    }
  }
  return result
}

extension Quantizer {
  /// Bits of a codeword with every symbol in natural binary; nil without symbols.
  var bitCount: Int? { alphabets.map { FixedWidthCoder(alphabets: $0).size.bitLimit! } }

  /// Appends the bits of one codeword, and counts the values outside the range.
  func quantize(_ values: UnsafeBufferPointer<Float>, into bits: inout BitString) -> Int {
    var indices = [UInt32](repeating: 0, count: alphabets!.count)
    let outside = indices.withUnsafeMutableBufferPointer { symbols(of: values, into: $0) }
    indices.withUnsafeBufferPointer { FixedWidthCoder(alphabets: alphabets!).write($0, to: &bits) }
    return outside
  }

  /// Reads them back.
  func dequantize(_ bits: inout BitReader, into values: UnsafeMutableBufferPointer<Float>) {
    var indices = [UInt32](repeating: 0, count: alphabets!.count)
    indices.withUnsafeMutableBufferPointer {
      FixedWidthCoder(alphabets: alphabets!).read(&bits, into: $0)
    }
    indices.withUnsafeBufferPointer { self.values(of: $0, into: values) }
  }
}
