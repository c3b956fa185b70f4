import LinearAlgebra

/// y = W x + b, block by block of the features, with a matrix of its own for each block; one block is the
/// ordinary layer.
package final class AffineLayer: FeatureLayer {
  private let input: FeatureTable
  package var inputs: [FeatureTable] { [input] }
  package let output: FeatureTable
  /// Number of blocks, and features of one before and after.
  private let blocks, from, to: Int
  /// Where W begins in θ, shape (blocks, to, from), and b, shape (blocks · to), if there is one.
  private let weights: Int
  private let biases: Int?

  /// Makes the output.
  ///
  /// - Parameters:
  ///   - input: its width is a multiple of `blocks`.
  ///   - blocks: ≥ 1.
  ///   - width: features of a block of the output.
  ///   - weights: where W begins in θ.
  ///   - biases: where b begins in θ; nil for none.
  package init(_ input: FeatureTable, blocks: Int = 1, width: Int, weights: Int, biases: Int? = nil)
  {
    self.input = input
    self.blocks = blocks
    from = input.width / blocks
    to = width
    self.weights = weights
    self.biases = biases
    output = FeatureTable(width: blocks * width, count: input.count)
  }

  package func forward(_ theta: UnsafePointer<Double>) {
    for block in 0..<blocks {
      apply(theta, block, to: \.value, keeping: 0, into: output.value)
    }
    addBiases(theta, to: output.value)
  }

  package func tangent(_ theta: UnsafePointer<Double>, _ direction: UnsafePointer<Double>) {
    for block in 0..<blocks {
      apply(direction, block, to: \.value, keeping: 0, into: output.tangent)
      if input.isConstant { continue }
      apply(theta, block, to: \.tangent, keeping: 1, into: output.tangent)
    }
    addBiases(direction, to: output.tangent)
  }

  package func pullBack(_ theta: UnsafePointer<Double>, into gradient: UnsafeMutablePointer<Double>)
  {
    for block in 0..<blocks {
      addWeights(block, \.adjoint, \.value, into: gradient)
      if input.isConstant { continue }
      pull(theta, block, \.adjoint, into: input.adjoint)
    }
    sumBiases(output.adjoint, into: gradient)
  }

  package func pullBackTangent(
    _ theta: UnsafePointer<Double>, _ direction: UnsafePointer<Double>,
    into product: UnsafeMutablePointer<Double>
  ) {
    for block in 0..<blocks {
      addWeights(block, \.adjointTangent, \.value, into: product)
      if input.isConstant { continue }
      addWeights(block, \.adjoint, \.tangent, into: product)
      pull(theta, block, \.adjointTangent, into: input.adjointTangent)
      pull(direction, block, \.adjoint, into: input.adjointTangent)
    }
    sumBiases(output.adjointTangent, into: product)
  }

  /// W of a block.
  private func matrix(_ theta: UnsafePointer<Double>, _ block: Int) -> MatrixView {
    MatrixView(theta + (weights + block * to * from), rows: to, columns: from)
  }

  private func inputRows(_ block: Int) -> Range<Int> { block * from..<(block + 1) * from }

  private func outputRows(_ block: Int) -> Range<Int> { block * to..<(block + 1) * to }

  /// y ← W x + keeping · y.
  private func apply(
    _ theta: UnsafePointer<Double>, _ block: Int, to part: KeyPath<FeatureTable, Buffer>,
    keeping: Double, into table: Buffer
  ) {
    multiply(
      matrix(theta, block), input.matrix(part, rows: inputRows(block)), keeping: keeping,
      into: table.pointer + block * to * output.rowLength, stride: output.rowLength)
  }

  /// x̄ += Wᵀ ȳ.
  private func pull(
    _ theta: UnsafePointer<Double>, _ block: Int, _ part: KeyPath<FeatureTable, Buffer>,
    into table: Buffer
  ) {
    multiply(
      matrix(theta, block).transposed, output.matrix(part, rows: outputRows(block)), keeping: 1,
      into: table.pointer + block * from * input.rowLength, stride: input.rowLength)
  }

  /// W̄ += ȳ xᵀ.
  private func addWeights(
    _ block: Int, _ adjoint: KeyPath<FeatureTable, Buffer>, _ value: KeyPath<FeatureTable, Buffer>,
    into gradient: UnsafeMutablePointer<Double>
  ) {
    multiply(
      output.matrix(adjoint, rows: outputRows(block)),
      input.matrix(value, rows: inputRows(block)).transposed, keeping: 1,
      into: gradient + (weights + block * to * from))
  }

  private func addBiases(_ theta: UnsafePointer<Double>, to table: Buffer) {
    guard let biases else { return }
    for row in 0..<output.width {
      let values = table.pointer + row * output.rowLength
      for window in 0..<output.count { values[window] += theta[biases + row] }
    }
  }

  private func sumBiases(_ table: Buffer, into gradient: UnsafeMutablePointer<Double>) {
    guard let biases else { return }
    for row in 0..<output.width {
      let values = table.pointer + row * output.rowLength
      var sum = 0.0
      for window in 0..<output.count { sum += values[window] }
      gradient[biases + row] += sum
    }
  }
}
