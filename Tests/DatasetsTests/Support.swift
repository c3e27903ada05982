import ComplexModule
import DataFiles
import Datasets
import Foundation
import LinkMath
import TestSupport

/// One path: amplitude, delay in rows of as many tones, angle in columns of as many ports.
struct Path {
  let amplitude: Double
  let delay: Double
  let angle: Double
}

/// Frequency response [1, tone, port] of paths.
func response(_ paths: [Path], tones: Int, ports: Int) -> ComplexArray {
  var array = ComplexArray(repeating: .zero, shape: [1, tones, ports])
  for tone in 0..<tones {
    for port in 0..<ports {
      for path in paths {
        let phase =
          2 * Double.pi
          * (Double(port) * path.angle / Double(ports) - Double(tone) * path.delay / Double(tones))
        array[0, tone, port] += ComplexFloat(
          Float(path.amplitude * cos(phase)), Float(path.amplitude * sin(phase)))
      }
    }
  }
  return array
}

/// Describes matrices given in one block.
func describe(
  _ matrices: ComplexArray, _ domain: ChannelShape.Domain = .frequency, taps: Int? = nil,
  pcaLimit: Int = 0, threads: Int = 1
) throws -> ChannelDescription {
  let shape = ChannelShape(
    domain: domain, rows: matrices.shape[1], columns: matrices.shape[2], taps: taps)
  let describer = ChannelDescriber(
    shape, dropCount: matrices.shape[0], pcaLimit: pcaLimit,
    pool: WorkerPool(threadCount: threads))
  try describer.add(matrices)
  return describer.finish()!
}

/// A fixture file of array data.
func dataset(_ name: String) -> String { fixtures.appending(path: "datasets/\(name)").path }
