import LinkMath
import Networks

/// The codeword steps of a training, one after another.
extension [any CodewordStep] {
  /// Passes codewords through all steps; the sum of what they add to the loss.
  ///
  /// - Parameter pass: the pass of a step that is told a power or not.
  package func forward(
    _ codewords: UnsafeMutablePointer<Float>, count: Int, _ pass: (_ power: Double?) -> CodewordPass
  ) -> Double {
    reduce(0.0) { sum, step in
      let power =
        step.needsPower ? CodewordNoise.meanSquare(codewords, count: count) : nil
      return sum + step.forward(codewords, pass(power))
    }
  }

  /// Groups of the optimiser behind those of encoder and decoder.
  var groups: [ParameterGroup] { compactMap { $0.parameters?.group } }

  /// Codewords that the most curious step wants to see.
  var sampleCount: Int { map(\.sampleCount).max() ?? 0 }

  /// Sets all up by codewords `[sample, M]`.
  func begin(_ sample: RealArray) throws {
    for step in self where step.sampleCount > 0 { try step.begin(step.own(sample)) }
  }

  /// Lets all follow the encoder.
  ///
  /// - Parameters:
  ///   - sample: codewords `[sample, M]`.
  ///   - optimizer: forgets what it carries of values that were set anew.
  ///   - first: its group of the first step with parameters.
  func adapt(_ sample: RealArray, _ optimizer: any Optimizer, first: Int) throws {
    var group = first
    for step in self {
      if step.sampleCount > 0 {
        for range in try step.endEpoch(step.own(sample)) {
          optimizer.forget(range, ofGroup: group)
        }
      }
      if step.parameters != nil { group += 1 }
    }
  }

  /// The state of all, each below its number.
  var states: [String: [Float]] {
    var states: [String: [Float]] = [:]
    for (index, step) in enumerated() {
      for (name, values) in step.state { states["\(index).\(name)"] = values }
    }
    return states
  }

  /// Goes on from ``states``.
  func restore(_ states: [String: [Float]]) {
    for (index, step) in enumerated() {
      let prefix = "\(index)."
      step.state = states.reduce(into: [:]) { own, entry in
        guard entry.key.hasPrefix(prefix) else { return }
        own[String(entry.key.dropFirst(prefix.count))] = entry.value
      }
    }
  }
}

extension CodewordStep {
  /// The part of a sample that the step wants to see.
  fileprivate func own(_ sample: RealArray) -> RealArray {
    sample.slice(0..<Swift.min(sampleCount, sample[dimension: 0]))
  }
}

extension CodewordPass {
  /// The samples whose codewords `[sample, M]` are lost; the decoder gets zeros in their place.
  package static func clearLost(
    _ codewords: UnsafeMutablePointer<Float>, samples: Int, length: Int
  ) -> [Int] {
    (0..<samples).filter { sample in
      let codeword = codewords + sample * length
      // Not any value that is no number: those are a training that has diverged.
      guard codeword[0].bitPattern == lost.bitPattern else { return false }
      codeword.update(repeating: 0, count: length)
      return true
    }
  }
}
