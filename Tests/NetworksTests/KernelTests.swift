import CKernels
import Foundation
import LinkMath
import Networks
import TestSupport
import Testing

/// Every instruction level against plain loops in Double.
@Suite struct KernelTests {
  static let levels = (0..<Int(csk_level_count())).filter { kernels_at($0) != nil }

  struct Case: CustomTestStringConvertible, Sendable {
    let inputs, outputs, groups, height, width: Int
    let kernel: KernelSize
    let dilation: Int

    var testDescription: String {
      "\(kernel) d\(dilation) \(inputs)→\(outputs) g\(groups) on \(height)×\(width)"
    }

    var reference: ReferenceConvolution {
      ReferenceConvolution(
        inputs: inputs, outputs: outputs, groups: groups, height: height, width: width,
        kernel: kernel, dilation: dilation)
    }
  }

  /// The layers of the papers, then odd channel counts, heights and widths.
  static let cases: [Case] = {
    func make(
      _ inputs: Int, _ outputs: Int, _ kh: Int, _ kw: Int, _ height: Int = 32, _ width: Int = 32,
      groups: Int = 1, dilation: Int = 1
    ) -> Case {
      Case(
        inputs: inputs, outputs: outputs, groups: groups, height: height, width: width,
        kernel: KernelSize(kh, kw), dilation: dilation)
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
    for channels in 1...17 { cases.append(make(3, channels, 3, 3, 4, 32)) }
    for width in [1, 3, 7, 9, 16, 20, 31, 33, 47, 63, 64, 65] {
      cases.append(make(2, 6, 3, 3, 8, width))
      cases.append(make(2, 3, 3, 1 + 2 * (width % 8), 4, width))
    }
    cases += [
      make(64, 2, 3, 3, 4, 24), make(65, 2, 3, 3, 4, 24), make(6, 15, 3, 3, 8, 13, groups: 3),
    ]
    for height in [2, 3, 5, 9, 17] { cases.append(make(5, 1, 5, 3, height, 20)) }
    cases += [make(6, 9, 3, 3, 7, 13, groups: 3), make(12, 4, 1, 3, 4, 24, groups: 2)]
    for dilation in [2, 3, 5] {
      cases += [
        make(2, 8, 3, 3, dilation: dilation), make(2, 2, 3, 1, dilation: dilation),
        make(2, 2, 1, 3, dilation: dilation), make(8, 8, 3, 1, groups: 4, dilation: dilation),
        make(3, 5, 5, 3, 8, 13, dilation: dilation), make(4, 32, 1, 5, 1, 16, dilation: dilation),
        make(1, 2, 3, 7, 2, 3, dilation: dilation),
      ]
    }
    var stream = StreamKey(seed: 3, domain: .test, purpose: .initialisation).stream(drop: 0)
    for _ in 0..<20 {
      let groups = 1 + stream.uniform(below: 3)
      cases.append(
        make(
          groups * (1 + stream.uniform(below: 6)), groups * (1 + stream.uniform(below: 12)),
          1 + 2 * stream.uniform(below: 4), 1 + 2 * stream.uniform(below: 4),
          1 + stream.uniform(below: 12), 1 + stream.uniform(below: 40), groups: groups,
          dilation: 1 + stream.uniform(below: 4)))
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
    let chain = reference.isFilter ? reference.forwardFilter : reference.forwardChain
    #expect(result.output == chain(x, weight, Self.multiplyAdd(level)))
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

  /// output = f(bias + weight * input + residual) of a 1 x 1 kernel, at every width; what lies between the rows is kept.
  @Test(arguments: levels, [(false, false), (false, true), (true, false), (true, true)])
  func endOfAConvolution(_ level: Int, _ does: (residual: Bool, activation: Bool)) {
    let (adds, rectifies) = does
    let (inputs, height) = (3, 3)
    for (width, outputs) in zip(1...50, (1...10).flatMap { _ in [1, 2, 4, 5, 8] }) {
      let (pitch, plane) = (width + 3, height * (width + 3))
      let slack = Int(CONV_OVERREAD)
      let x = GuardedMemory(Self.random(inputs * plane + slack, 0))
      let weight = Self.random(outputs * inputs, 1)
      let packed = GuardedMemory(weight)
      let (bias, slopes) = (
        GuardedMemory(Self.random(outputs, 2)), GuardedMemory(Self.random(outputs, 3))
      )
      let residual = GuardedMemory(Self.random(outputs * plane + slack, 4))
      let before = Self.random(outputs * plane + slack, 5)
      let result = GuardedMemory(before)
      let taps = GuardedMemory((0..<inputs).map { $0 * plane })
      let offsets = GuardedMemory((0..<outputs).map { $0 * plane })
      var job = conv_forward_job()
      job.shape = conv_shape(
        height: height, width: width, tap_count: inputs, kernel_rows: 1, kernel_columns: 1,
        row_dilation: 1, group_count: 1, channels_per_group: outputs, taps: taps.pointer)
      kernels_at(level)!.pointee.pack(&job.shape, weight, packed.pointer)
      (job.input_pitch, job.output_pitch, job.residual_pitch) = (pitch, pitch, pitch)
      (job.input, job.weights, job.bias) = (
        .init(x.pointer), .init(packed.pointer), .init(bias.pointer)
      )
      job.slopes = rectifies ? .init(slopes.pointer) : nil
      (job.output, job.output_offsets) = (result.pointer, .init(offsets.pointer))
      job.residual_offsets = .init(offsets.pointer)
      job.residual = adds ? .init(residual.pointer) : nil
      withExtendedLifetime((taps, offsets, packed, slopes, residual)) {
        kernels_at(level)!.pointee.forward(&job)
      }
      let expected = (0..<outputs * plane).map { place in
        let (channel, offset) = (place / plane, place % plane)
        guard offset % pitch < width else { return Double(before[place]) }
        var sum = Double(bias.pointer[channel]) + (adds ? Double(residual.pointer[place]) : 0)
        for input in 0..<inputs {
          sum +=
            Double(weight[channel * inputs + input]) * Double(x.pointer[input * plane + offset])
        }
        return sum < 0 && rectifies ? sum * Double(slopes.pointer[channel]) : sum
      }
      Self.expect((0..<expected.count).map { result.pointer[$0] }, near: expected, terms: inputs)
    }
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

  /// `x Φ(x)` and its slope against the complementary error function in Double, which is accurate in the tail too.
  @Test(arguments: levels, [4001, 37, 1])
  func GELU(_ level: Int, _ count: Int) {
    let table = kernels_at(level)!.pointee
    let special: [Float] = [0, -0.0, 1e-6, -1e-6, -12.9, 12.9, 100, -100]
    let x = special + (0..<count).map { 26 * (Float($0) / Float(count) - 0.5) }
    let gradient = Self.random(x.count, 4)
    var (y, slopes) = (x, x)
    table.gelu(x, &y, x.count)
    table.gelu_gradient(x, gradient, &slopes, x.count)
    for (i, value) in x.map(Double.init).enumerated() {
      let share = 0.5 * erfc(-value / 2.0.squareRoot())
      let density = exp(-value * value / 2) / (2 * Double.pi).squareRoot()
      let expected = value * share
      // In the tail the exponent is rounded, and behind 13.2 it is kept within the normal numbers.
      let allowed = value < 0 ? 4e-7 + 1e-7 * value * value : 3e-7
      #expect(abs(Double(y[i]) - expected) <= allowed * abs(expected) + 1e-36, "GELU(\(value))")
      let slope = Double(gradient[i]) * (share + value * density)
      #expect(
        abs(Double(slopes[i]) - slope) <= 4e-7 * abs(Double(gradient[i])), "slope at \(value)")
    }
  }

  /// Products of one vector with rows, added to what is there; nothing is read behind the last row.
  @Test(arguments: levels, [(1, 4), (16, 1), (31, 9), (32, 16), (100, 3)])
  func rowProducts(_ level: Int, _ size: (length: Int, count: Int)) {
    let (length, count) = size
    let pitch = length + 3
    let (x, rows) = (Self.random(length, 1), Self.random((count - 1) * pitch + length, 2))
    var sums = Self.random(count, 3)
    let expected = sums.enumerated().map { row, start in
      (0..<length).reduce(Double(start)) {
        $0 + Double(x[$1]) * Double(rows[row * pitch + $1])
      }
    }
    kernels_at(level)!.pointee.dot_rows(x, rows, length, count, pitch, &sums)
    Self.expect(sums, near: expected, terms: length)
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

  /// What networks do outside of trainings has the same bits at all levels with fused multiply-adds, for any length.
  @Test(arguments: [1, 7, 16, 23, 64, 100, 1000, 1031])
  func fusedLevelsAgree(_ count: Int) {
    let fused = Self.levels.map { kernels_at($0)!.pointee }
      .filter { String(cString: $0.name) != "baseline" }
    let (x, y) = (Self.random(count, 5).map { 3 * $0 }, Self.random(count, 6))
    let results = fused.map { table in
      var numbers: [UInt64] = [UInt64(table.dot(x, y, count).bitPattern)]
      var (sum, squares) = (0.0, 0.0)
      table.moments(x, count, &sum, &squares)
      numbers += [sum.bitPattern, squares.bitPattern]
      var target = x
      numbers.append(UInt64(table.exp_sum(x, &target, count, 1).bitPattern))
      for function in [table.sigmoid, table.tanh, table.gelu] {
        function!(x, &target, count)
        numbers += target.map { UInt64($0.bitPattern) }
      }
      return numbers
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }

  /// What is called the peak rate is not exceeded by a kernel that also loads and stores. Rates are the best of turns
  /// taken until the peak has had a turn as undisturbed as the kernel's.
  @Test func peakIsNotExceeded() {
    let table = kernels().pointee
    let (rows, outputs, inputs) = (24, 64, 128)
    let x = Self.random(rows * inputs, 0)
    let packed = Self.random(csk_product_packed_count(inputs, outputs), 1)
    let bias = Self.random(outputs, 2)
    var y = [Float](repeating: 0, count: rows * outputs)
    let clock = ContinuousClock()
    let rounds = 20_000
    let peakWork = Double(2 * table.lanes * Int(MULTIPLY_ADD_CHAINS) * rounds)
    let productWork = Double(2 * rows * outputs * inputs * 20)
    var (peak, product) = (Double.infinity, Double.infinity)
    var turns = 0
    repeat {
      peak = min(peak, (clock.measure { _ = table.multiply_adds(rounds) } / .seconds(1)) / peakWork)
      let time = clock.measure {
        for _ in 0..<20 {
          csk_product_part(
            rows, outputs, inputs, x, inputs, packed, inputs, bias, &y, outputs)
        }
      }
      product = min(product, time / .seconds(1) / productWork)
      turns += 1
    } while turns < 20 || (turns < 2000 && product < 0.98 * peak)
    #expect(product >= 0.98 * peak)
  }
}
