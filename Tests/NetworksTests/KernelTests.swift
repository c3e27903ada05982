import CKernels
import Foundation
import LinkMath
import Networks
import Testing

/// Every instruction level against plain loops in Double.
@Suite struct KernelTests {
  static let levels = (0..<Int(csk_level_count())).filter { kernels_at($0) != nil }

  struct Case: CustomTestStringConvertible, Sendable {
    let inputs, outputs, groups, height, width: Int
    let kernel: KernelSize

    var testDescription: String {
      "\(kernel) \(inputs)→\(outputs) g\(groups) on \(height)×\(width)"
    }

    var reference: ReferenceConvolution {
      ReferenceConvolution(
        inputs: inputs, outputs: outputs, groups: groups, height: height, width: width,
        kernel: kernel)
    }
  }

  /// The layers of the papers, then odd channel counts, heights and widths.
  static let cases: [Case] = {
    func make(
      _ inputs: Int, _ outputs: Int, _ kh: Int, _ kw: Int, _ height: Int = 32, _ width: Int = 32,
      groups: Int = 1
    ) -> Case {
      Case(
        inputs: inputs, outputs: outputs, groups: groups, height: height, width: width,
        kernel: KernelSize(kh, kw))
    }
    var cases = [
      make(2, 8, 3, 3), make(8, 16, 3, 3), make(16, 2, 3, 3), make(2, 1, 3, 3), make(2, 2, 5, 5),
      make(7, 7, 1, 9), make(7, 7, 9, 1), make(14, 2, 1, 1), make(8, 8, 7, 7, groups: 4),
      make(64, 32, 1, 7, 1), make(64, 16, 1, 7, 1), make(16, 8, 1, 7, 1), make(34, 2, 1, 1),
      make(4, 48, 1, 5, 1, 21), make(3, 16, 1, 3, 1, 7), make(5, 32, 1, 1, 1, 16),
    ]
    for channels in 1...9 { cases.append(make(3, channels, 3, 5, 5, 32)) }
    for width in [1, 3, 7, 8, 15, 16, 17, 31, 33, 47, 48, 49, 65] {
      cases.append(make(3, 5, 3, 3, 6, width))
      cases.append(make(2, 4, 1, 5, 1, width))
    }
    for height in [2, 3, 5, 9, 17] { cases.append(make(5, 1, 5, 3, height, 20)) }
    cases += [make(6, 9, 3, 3, 7, 13, groups: 3), make(12, 4, 1, 3, 4, 24, groups: 2)]
    var stream = StreamKey(seed: 3, domain: .test, purpose: .initialisation).stream(drop: 0)
    for _ in 0..<20 {
      let groups = 1 + stream.uniform(below: 3)
      cases.append(
        make(
          groups * (1 + stream.uniform(below: 6)), groups * (1 + stream.uniform(below: 12)),
          1 + 2 * stream.uniform(below: 4), 1 + 2 * stream.uniform(below: 4),
          1 + stream.uniform(below: 12), 1 + stream.uniform(below: 40), groups: groups))
    }
    return cases
  }()

  static func random(_ count: Int, _ drop: Int) -> [Float] {
    var stream = StreamKey(seed: 11, domain: .test, purpose: .initialisation).stream(drop: drop)
    return stream.normal(count: count)
  }

  /// Compares with a tolerance for sums of `terms` products of normal values in Float.
  static func expect(
    _ values: [Float], near expected: [Double], terms: Int,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(values.count == expected.count, sourceLocation: sourceLocation)
    let allowed = 1e-6 * (Double(terms) + 10)
    let worst = zip(values, expected).map { abs(Double($0) - $1) }.max() ?? 0
    #expect(worst <= allowed, sourceLocation: sourceLocation)
  }

  /// a · b + c as a level rounds it: once where it has fused multiply-adds.
  static func multiplyAdd(_ level: Int) -> (Float, Float, Float) -> Float {
    let isFused = String(cString: kernels_at(level)!.pointee.name) != "baseline"
    return { a, b, c in isFused ? c.addingProduct(a, b) : a * b + c }
  }

  /// Every output is one chain of multiply-adds in a fixed order, so levels with fused ones agree to the bit.
  @Test(arguments: levels, cases)
  func convolutionIsOneChain(_ level: Int, _ test: Case) throws {
    let reference = test.reference
    let x = Self.random(test.inputs * test.height * test.width, 0)
    let weight = Self.random(reference.weightCount, 1)
    let result = try ConvolutionProbe.run(
      reference, level: level, samples: 1, input: x, weight: weight,
      gradient: [Float](repeating: 0, count: test.outputs * test.height * test.width))
    #expect(result.output == reference.forwardChain(x, weight, Self.multiplyAdd(level)))
  }

  /// A stride-one convolution layer run through a training plan, forward and backward, on one level.
  @Test(arguments: levels, cases)
  func convolution(_ level: Int, _ test: Case) throws {
    let reference = test.reference
    let samples = 5
    let plane = test.height * test.width
    let x = Self.random(samples * test.inputs * plane, 0)
    let weight = Self.random(reference.weightCount, 1)
    let dy = Self.random(samples * test.outputs * plane, 2)
    let result = try ConvolutionProbe.run(
      reference, level: level, samples: samples, input: x, weight: weight, gradient: dy)
    func part(_ values: [Float], _ channels: Int, _ sample: Int) -> [Float] {
      Array(values[sample * channels * plane..<(sample + 1) * channels * plane])
    }
    var weightGradient = [Double](repeating: 0, count: reference.weightCount)
    for sample in 0..<samples {
      let (xs, gs) = (part(x, test.inputs, sample), part(dy, test.outputs, sample))
      Self.expect(
        part(result.output, test.outputs, sample), near: reference.forward(xs, weight),
        terms: reference.weightCount / test.outputs)
      Self.expect(
        part(result.inputGradient, test.inputs, sample),
        near: reference.inputGradient(gs, weight), terms: reference.weightCount / test.inputs)
      for (i, value) in reference.weightGradient(xs, gs).enumerated() {
        weightGradient[i] += value
      }
    }
    Self.expect(result.weightGradient, near: weightGradient, terms: samples * plane)
  }

  @Test(arguments: levels)
  func saturatingFunctions(_ level: Int) {
    let table = kernels_at(level)!.pointee
    let x =
      (0..<4001).map { Float($0 - 2000) / 20 } + [0, 1e-6, -1e-6, 1e-3, 0.24, 0.26, 300, -300]
    var y = [Float](repeating: 0, count: x.count)
    table.sigmoid(x, &y, x.count)
    for (value, result) in zip(x, y) {
      let expected = 1 / (1 + exp(-Double(value)))
      #expect(abs(Double(result) - expected) < 2e-7, "sigmoid(\(value))")
    }
    table.tanh(x, &y, x.count)
    for (value, result) in zip(x, y) {
      let expected = tanh(Double(value))
      #expect(abs(Double(result) - expected) <= 4e-7 * abs(expected), "tanh(\(value))")
    }
    let short = Array(x[1900..<1937])
    let sum = table.exp_sum(short, &y, short.count, 3)
    for (value, result) in zip(short, y) {
      let expected = exp(Double(value) - 3)
      #expect(abs(Double(result) - expected) <= 1e-6 * expected, "exp(\(value) - 3)")
    }
    let total = short.reduce(0.0) { $0 + exp(Double($1) - 3) }
    #expect(abs(Double(sum) - total) < 1e-5 * total)
    // Sixteen partial sums in turn, then the rest, whatever the number of lanes.
    let parts = (0..<16).map { lane in
      stride(from: lane, to: short.count / 16 * 16, by: 16).reduce(Float(0)) { $0 + y[$1] }
    }
    let folded = (parts + y[(short.count / 16 * 16)..<short.count]).reduce(Float(0), +)
    #expect(sum == folded)
  }

  /// A row of a dense product has the same bits alone and among others.
  @Test(arguments: levels, [(1, 1), (5, 33), (64, 512), (40, 100)])
  func dense(_ level: Int, _ size: (outputs: Int, inputs: Int)) {
    let table = kernels_at(level)!.pointee
    let rows = 15
    let x = Self.random(rows * size.inputs, 0)
    let weight = Self.random(size.outputs * size.inputs, 1)
    let bias = Self.random(size.outputs, 2)
    let panels = (size.outputs + Int(DENSE_PANEL) - 1) / Int(DENSE_PANEL)
    var packed = [Float](repeating: 0, count: panels * Int(DENSE_PANEL) * size.inputs)
    table.dense_pack(weight, size.outputs, size.inputs, &packed)
    var together = [Float](repeating: 0, count: rows * size.outputs)
    table.dense(
      rows, size.outputs, size.inputs, x, size.inputs, packed, bias, &together, size.outputs)
    for row in 0..<rows {
      var alone = [Float](repeating: 0, count: size.outputs)
      x.withUnsafeBufferPointer {
        table.dense(
          1, size.outputs, size.inputs, $0.baseAddress! + row * size.inputs, size.inputs, packed,
          bias, &alone, size.outputs)
      }
      #expect(alone == Array(together[row * size.outputs..<(row + 1) * size.outputs]))
      let expected = (0..<size.outputs).map { o in
        (0..<size.inputs).reduce(Double(bias[o])) {
          $0 + Double(weight[o * size.inputs + $1]) * Double(x[row * size.inputs + $1])
        }
      }
      Self.expect(alone, near: expected, terms: size.inputs)
      let chains = (0..<size.outputs).map { o in
        (0..<size.inputs).reduce(bias[o]) {
          Self.multiplyAdd(level)(
            x[row * size.inputs + $1], weight[o * size.inputs + $1], $0)
        }
      }
      #expect(alone == chains)
    }
  }

  /// A dense product taken in parts of its inputs and outputs has the bits of the whole.
  @Test(arguments: levels)
  func denseParts(_ level: Int) {
    let table = kernels_at(level)!.pointee
    let panel = Int(DENSE_PANEL)
    let (rows, outputs, inputs, pitch) = (11, 3 * panel, 300, 3 * panel + 5)
    let x = Self.random(rows * inputs, 0)
    let weight = Self.random(outputs * inputs, 1)
    let bias = Self.random(outputs, 2)
    var packed = [Float](repeating: 0, count: outputs * inputs)
    table.dense_pack(weight, outputs, inputs, &packed)
    var whole = [Float](repeating: 0, count: rows * pitch)
    table.dense(rows, outputs, inputs, x, inputs, packed, bias, &whole, pitch)
    var parts = [Float](repeating: 0, count: rows * pitch)
    let (split, first) = (170, panel)
    x.withUnsafeBufferPointer { x in
      packed.withUnsafeBufferPointer { packed in
        bias.withUnsafeBufferPointer { bias in
          parts.withUnsafeMutableBufferPointer { y in
            for columns in [0..<first, first..<outputs] {
              for terms in [0..<split, split..<inputs] {
                table.dense_part(
                  rows, columns.count, terms.count, x.baseAddress! + terms.lowerBound, inputs,
                  packed.baseAddress! + columns.lowerBound * inputs + terms.lowerBound * panel,
                  panel * inputs,
                  terms.lowerBound == 0 ? bias.baseAddress! + columns.lowerBound : nil,
                  y.baseAddress! + columns.lowerBound, pitch)
              }
            }
          }
        }
      }
    }
    #expect(parts == whole)
    #expect(whole.contains { $0 != 0 })
  }

  @Test(arguments: levels, [1, 3, 7, 12, 29])
  func outerProducts(_ level: Int, _ m: Int) {
    let table = kernels_at(level)!.pointee
    let (rows, n, pitch) = (19, 2 * Int(DENSE_PANEL), 2 * Int(DENSE_PANEL) + 3)
    let a = Self.random(rows * (m + 1), 0)
    let b = Self.random(rows * pitch, 1)
    let start = Self.random(m * pitch, 2)
    var sums = start
    table.outer_add(rows, m, a, m + 1, n, b, pitch, &sums, pitch)
    var expected = start.map { Double($0) }
    for row in 0..<rows {
      for i in 0..<m {
        for j in 0..<n {
          expected[i * pitch + j] += Double(a[row * (m + 1) + i]) * Double(b[row * pitch + j])
        }
      }
    }
    Self.expect(sums, near: expected, terms: rows)
  }

  @Test(arguments: levels, [1, 5, 16, 31, 32, 63, 64, 65, 1000, 1024])
  func moments(_ level: Int, _ count: Int) {
    let values = Self.random(count, 3).map { 5 + $0 }
    var (sum, squares) = (0.0, 0.0)
    kernels_at(level)!.pointee.moments(values, count, &sum, &squares)
    let mean = values.reduce(0.0) { $0 + Double($1) } / Double(count)
    let expected = values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
    #expect(abs(sum / Double(count) - mean) < 1e-5)
    #expect(abs(squares - expected) <= 1e-4 * expected + 1e-9)
  }

  /// What is called the peak rate is not exceeded by a kernel that also loads and stores. Rates are the best of turns
  /// taken until the peak has had a turn as undisturbed as the kernel's.
  @Test(arguments: levels)
  func peakIsNotExceeded(_ level: Int) {
    let table = kernels_at(level)!.pointee
    let (rows, outputs, inputs) = (24, 64, 128)
    let x = Self.random(rows * inputs, 0)
    let packed = Self.random(outputs * inputs, 1)
    let bias = Self.random(outputs, 2)
    var y = [Float](repeating: 0, count: rows * outputs)
    let clock = ContinuousClock()
    let rounds = 20_000
    let peakWork = Double(2 * table.lanes * Int(MULTIPLY_ADD_CHAINS) * rounds)
    let denseWork = Double(2 * rows * outputs * inputs * 20)
    var (peak, dense) = (Double.infinity, Double.infinity)
    var turns = 0
    repeat {
      peak = min(peak, (clock.measure { _ = table.multiply_adds(rounds) } / .seconds(1)) / peakWork)
      let time = clock.measure {
        for _ in 0..<20 {
          table.dense(rows, outputs, inputs, x, inputs, packed, bias, &y, outputs)
        }
      }
      dense = min(dense, time / .seconds(1) / denseWork)
      turns += 1
    } while turns < 20 || (turns < 2000 && dense < 0.98 * peak)
    #expect(dense >= 0.98 * peak)
  }
}
