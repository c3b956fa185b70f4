import Corpora

/// A loss of the logits z(ω, q) of window pairs: what the second attention layer and the data make
/// of them, without a word on how z comes from the parameters.
protocol PairLoss: Sendable {
  /// The distinct windows.
  var windows: WindowTable { get }
  /// How the pairs are cut into blocks, tiles and lanes.
  var plan: WorkPlan { get }
  /// ω of every key; a block's keys are a range of it.
  var keyWindows: [UInt32] { get }
  /// What the sum of losses is divided by: the number of sequences, or of chains.
  var count: Int { get }

  /// Buffers for the tiles of one lane.
  func makeLane() -> any LanePairLoss
}

/// The loss of one lane's tiles and its derivatives with respect to their logits.
///
/// A tile is taken block by block, then evaluated, then its adjoints are read block by block. Sums
/// run over sequences or chains; the caller divides by their number.
protocol LanePairLoss: AnyObject {
  /// Takes the logits z, one per slot, of the block at a place of the tile.
  func take(
    _ block: WorkPlan.Block, at place: Int, windows: UnsafePointer<UInt32>,
    logits: UnsafePointer<Double>)

  /// The loss of the tile's blocks as taken; with `adjoints` also z̄ = ∂(loss)/∂z.
  func evaluate(_ tile: ArraySlice<WorkPlan.Block>, adjoints: Bool) -> Double

  /// z̄ of the block at a place, one per slot.
  func logitAdjoint(at place: Int) -> UnsafePointer<Double>

  /// Takes the tangents ż of the block at a place, after its logits.
  func takeTangent(_ block: WorkPlan.Block, at place: Int, tangent: UnsafePointer<Double>)

  /// z̄ and its tangent along ż, of the tile's blocks as taken.
  func evaluateTangent(_ tile: ArraySlice<WorkPlan.Block>)

  /// The tangent of z̄ of the block at a place.
  func logitAdjointTangent(at place: Int) -> UnsafePointer<Double>

  /// Adds what is quadratic in ∇z, and leaves z̄ of the block at place 0.
  ///
  /// - Parameters:
  ///   - block: one block, whatever the tiles are.
  ///   - windows: ω of its keys.
  ///   - logits: z, one per slot.
  ///   - rows: ∇z of every slot, shape (slots, order).
  ///   - order: the number of parameters.
  ///   - matrix: shape (order, order); the upper triangle is accumulated into, what happens to
  ///     the lower one is open.
  func addCurvature(
    _ block: WorkPlan.Block, windows: UnsafePointer<UInt32>, logits: UnsafePointer<Double>,
    rows: UnsafePointer<Double>, order: Int, to matrix: UnsafeMutablePointer<Double>)
}
