/// Layer normalisation: y = γ ⊙ n + β with n = (x − mean x)/√(var x + ε), over the features of each block of each
/// window; gain γ and bias β are shared by the blocks.
///
/// With r = 1/√(var x + ε): ṅ = r (ẋ − mean ẋ − n mean(n ẋ)), which is symmetric in ẋ and an adjoint, so the same
/// map takes n̄ = γ ⊙ ȳ to x̄, and ṙ = −r² mean(n ẋ) (derived). At ε = 0 a block whose features are all equal has no
/// derivative, and its output is not a number.
package final class LayerNormLayer: FeatureLayer {
  private let input: FeatureTable
  package var inputs: [FeatureTable] { [input] }
  package let output: FeatureTable
  /// Number of blocks, and features of one.
  private let blocks, width: Int
  /// ε.
  private let floor: Double
  /// Where γ and β begin in θ, `width` values each.
  private let gains, biases: Int
  /// n and its tangent, shape of the output.
  private let normal, normalTangent: Buffer
  /// r and its tangent, shape (blocks, windows).
  private let rate, rateTangent: Buffer
  /// Means over features, one per window.
  private let mean, along, meanTangent, alongTangent: Buffer

  /// Makes the output.
  ///
  /// - Parameters:
  ///   - input: its width is a multiple of `blocks`.
  ///   - blocks: ≥ 1.
  ///   - floor: ε ≥ 0.
  ///   - gains: where γ begins in θ.
  ///   - biases: where β begins in θ.
  package init(_ input: FeatureTable, blocks: Int = 1, floor: Double, gains: Int, biases: Int) {
    self.input = input
    self.blocks = blocks
    width = input.width / blocks
    self.floor = floor
    self.gains = gains
    self.biases = biases
    output = FeatureTable(width: input.width, count: input.count)
    normal = Buffer(output.value.count)
    normalTangent = Buffer(output.value.count)
    rate = Buffer(blocks * output.rowLength)
    rateTangent = Buffer(rate.count)
    mean = Buffer(output.rowLength)
    along = Buffer(output.rowLength)
    meanTangent = Buffer(output.rowLength)
    alongTangent = Buffer(output.rowLength)
  }

  package func forward(_ theta: UnsafePointer<Double>) {
    let (x, y, n) = (input.value.pointer, output.value.pointer, normal.pointer)
    let variance = along
    for block in 0..<blocks {
      let r = rate.pointer + block * output.rowLength
      setMean(mean, block) { _, i in x[i] }
      setMean(variance, block) { w, i in (x[i] - mean.pointer[w]) * (x[i] - mean.pointer[w]) }
      for w in 0..<output.count {
        // Of equal features rounding leaves a variance of about (mean · 2⁻⁵²)², which says nothing.
        let noise = mean.pointer[w] * mean.pointer[w] * 1e-30
        r[w] =
          floor == 0 && variance.pointer[w] <= noise
          ? .nan : 1 / (variance.pointer[w] + floor).squareRoot()
      }
      forEachRow(block) { feature, row in
        let (gain, bias) = (theta[gains + feature], theta[biases + feature])
        for w in 0..<output.count {
          n[row + w] = (x[row + w] - mean.pointer[w]) * r[w]
          y[row + w] = gain * n[row + w] + bias
        }
      }
    }
  }

  package func tangent(_ theta: UnsafePointer<Double>, _ direction: UnsafePointer<Double>) {
    let (x, y) = (input.tangent.pointer, output.tangent.pointer)
    let (n, nDot) = (normal.pointer, normalTangent.pointer)
    let (mean, along) = (mean.pointer, along.pointer)
    for block in 0..<blocks {
      let r = rate.pointer + block * output.rowLength
      let rDot = rateTangent.pointer + block * output.rowLength
      setMean(self.mean, block) { _, i in x[i] }
      setMean(self.along, block) { _, i in n[i] * x[i] }
      for w in 0..<output.count { rDot[w] = -r[w] * r[w] * along[w] }
      forEachRow(block) { feature, row in
        let gain = theta[gains + feature]
        let (gainDot, biasDot) = (direction[gains + feature], direction[biases + feature])
        for w in 0..<output.count {
          nDot[row + w] = r[w] * (x[row + w] - mean[w] - n[row + w] * along[w])
          y[row + w] = gainDot * n[row + w] + gain * nDot[row + w] + biasDot
        }
      }
    }
  }

  package func pullBack(_ theta: UnsafePointer<Double>, into gradient: UnsafeMutablePointer<Double>)
  {
    let (x, y, n) = (input.adjoint.pointer, output.adjoint.pointer, normal.pointer)
    let (mean, along) = (mean.pointer, along.pointer)
    for block in 0..<blocks {
      let r = rate.pointer + block * output.rowLength
      setMean(self.mean, block, weights: theta + gains) { _, i in y[i] }
      setMean(self.along, block, weights: theta + gains) { _, i in n[i] * y[i] }
      forEachRow(block) { feature, row in
        let gain = theta[gains + feature]
        gradient[gains + feature] += dot(y + row, n + row, output.count)
        var sum = 0.0
        for w in 0..<output.count {
          sum += y[row + w]
          x[row + w] += r[w] * (gain * y[row + w] - mean[w] - n[row + w] * along[w])
        }
        gradient[biases + feature] += sum
      }
    }
  }

  package func pullBackTangent(
    _ theta: UnsafePointer<Double>, _ direction: UnsafePointer<Double>,
    into product: UnsafeMutablePointer<Double>
  ) {
    let (x, y, yDot) = (
      input.adjointTangent.pointer, output.adjoint.pointer, output.adjointTangent.pointer
    )
    let (n, nDot) = (normal.pointer, normalTangent.pointer)
    let (mean, along) = (mean.pointer, along.pointer)
    let (meanDot, alongDot) = (meanTangent.pointer, alongTangent.pointer)
    for block in 0..<blocks {
      let r = rate.pointer + block * output.rowLength
      let rDot = rateTangent.pointer + block * output.rowLength
      // n̄ = γ ȳ, so its tangent has a part with γ̇ and one with ȳ̇.
      setMean(self.mean, block, weights: theta + gains) { _, i in y[i] }
      setMean(self.along, block, weights: theta + gains) { _, i in n[i] * y[i] }
      setMean(meanTangent, block, weights: theta + gains) { _, i in yDot[i] }
      addMean(meanTangent, block, weights: direction + gains) { _, i in y[i] }
      setMean(alongTangent, block, weights: theta + gains) { _, i in
        nDot[i] * y[i] + n[i] * yDot[i]
      }
      addMean(alongTangent, block, weights: direction + gains) { _, i in n[i] * y[i] }
      forEachRow(block) { feature, row in
        let (gain, gainDot) = (theta[gains + feature], direction[gains + feature])
        product[gains + feature] +=
          dot(yDot + row, n + row, output.count) + dot(y + row, nDot + row, output.count)
        var sum = 0.0
        for w in 0..<output.count {
          let i = row + w
          sum += yDot[i]
          x[i] +=
            rDot[w] * (gain * y[i] - mean[w] - n[i] * along[w])
            + r[w]
            * (gainDot * y[i] + gain * yDot[i] - meanDot[w] - nDot[i] * along[w]
              - n[i] * alongDot[w])
        }
        product[biases + feature] += sum
      }
    }
  }

  /// Calls `body` with every feature of a block and where its row begins.
  @inline(__always)
  private func forEachRow(_ block: Int, _ body: (_ feature: Int, _ row: Int) -> Void) {
    for feature in 0..<width { body(feature, (block * width + feature) * output.rowLength) }
  }

  /// The means over the features of a block of something that depends on the window and the place.
  @inline(__always)
  private func setMean(
    _ sums: Buffer, _ block: Int, weights: UnsafePointer<Double>? = nil,
    _ value: (_ window: Int, _ place: Int) -> Double
  ) {
    sums.clear()
    addMean(sums, block, weights: weights, value)
  }

  /// Adds these means.
  @inline(__always)
  private func addMean(
    _ sums: Buffer, _ block: Int, weights: UnsafePointer<Double>? = nil,
    _ value: (_ window: Int, _ place: Int) -> Double
  ) {
    forEachRow(block) { feature, row in
      let weight = (weights?[feature] ?? 1) / Double(width)
      for w in 0..<output.count { sums.pointer[w] += weight * value(w, row + w) }
    }
  }
}
