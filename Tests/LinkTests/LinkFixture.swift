import ComplexModule
import Foundation
import Link
import LinkMath
import Parts
import Testing
import TestSupport

/// A context whose grid and ports are given; SNR and tone spacing follow from the pilots.
func linkContext(tones: Int, ports: Int) -> LinkContext {
  var context = LinkContext(grid: .init(toneCount: tones, spacingHz: 15e3, carrierHz: 2e9))
  context.portCount = ports
  return context
}

/// One of the three pilot schemes by its scenario name.
func makePilots(_ name: String, _ given: [String: Setting], in context: LinkContext) throws
  -> any PilotScheme
{
  let type = try #require(PilotRegistry.schemes.first { $0.schema.name == name })
  return try type.init(type.schema.settings(given), in: context, fitted: nil)
}

/// An estimator made for the pilots in front of it.
func makeEstimator(
  _ name: String, _ given: [String: Setting] = [:], after pilots: any PilotScheme,
  in context: LinkContext, fitted: Artefact? = nil
) throws -> any ChannelEstimator {
  var context = context
  context.pilots = pilots.summary
  let type = try #require(EstimatorRegistry.estimators.first { $0.schema.name == name })
  return try type.init(type.schema.settings(given), in: context, fitted: fitted)
}

/// The drops 0..<count of an array [drop, ...] as a block with its own noise.
func block(of array: ComplexArray, seed: UInt64 = 11) -> DropBlock {
  DropBlock(0..<array[dimension: 0], domain: .test, seed: seed)
}

/// Independent Rayleigh taps at whole sample delays: `H[n] = Σ_l α_l exp(-j 2π n τ_l / Nc)`, [drop, subcarrier, port].
func tapChannel(
  drops: Int, tones: Int, ports: Int, delays: [Int], powers: [Double], seed: UInt64 = 5
) -> ComplexArray {
  let gains = complexNormal([drops, delays.count, ports], seed: seed)
  var response = ComplexArray(repeating: .zero, shape: [drops, tones, ports])
  let phasors = (0..<tones).map { unit(-Double($0) / Double(tones)) }
  response.withUnsafeMutableElements { response in
    gains.withUnsafeElements { gains in
      for drop in 0..<drops {
        for (tap, delay) in delays.enumerated() {
          let amplitude = Float(powers[tap].squareRoot())
          for tone in 0..<tones {
            let phasor = phasors[tone * delay % tones]
            let factor = ComplexFloat(
              Float(phasor.real) * amplitude, Float(phasor.imaginary) * amplitude)
            for port in 0..<ports {
              response[(drop * tones + tone) * ports + port] +=
                factor * gains[(drop * delays.count + tap) * ports + port]
            }
          }
        }
      }
    }
  }
  return response
}

/// `exp(j 2π turns)`.
func unit(_ turns: Double) -> Complex<Double> {
  Complex(cos(2 * .pi * turns), sin(2 * .pi * turns))
}

extension Complex<Float> {
  var inDouble: Complex<Double> { Complex<Double>(Double(real), Double(imaginary)) }
}

/// `a - b`.
func difference(_ a: ComplexArray, _ b: ComplexArray) -> ComplexArray {
  precondition(a.shape == b.shape)
  return ComplexArray(zip(a.elements, b.elements).map { $0 - $1 }, shape: a.shape)
}

/// Mean |x|² of the entries.
func power(_ array: ComplexArray) -> Double { array.energy / Double(array.count) }
