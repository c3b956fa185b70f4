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
  /// Blocks that together ask everything that a prediction can be made for, also what the loss is
  /// indifferent to.
  var questions: [WorkPlan.Block] { get }
  /// The part of the sum that no logit changes.
  var constant: Double { get }

  /// What the read-out has to do for a gradient (order 0), or for a Hessian of so many parameters.
  func work(order: Double) -> EvaluationWork

  /// Buffers for the tiles of one lane.
  func makeLane() -> any LanePairLoss
}

/// The loss of one lane's tiles and its derivatives with respect to their logits.
///
/// The caller writes the logits of a tile block by block, has the tile evaluated, and reads its
/// adjoints block by block. Arrays over slots go on to a multiple of eight places, where logits may
/// be anything and adjoints are zero. Sums run over sequences or chains; the caller divides by their
/// number.
protocol LanePairLoss: AnyObject {
  /// Where the logits z of the block at a place go.
  func logits(at place: Int) -> UnsafeMutablePointer<Double>

  /// Where e^{z − s} of the block at a place goes, with one shift s for all its slots.
  func powers(at place: Int) -> UnsafeMutablePointer<Double>

  /// The loss of the tile's blocks; with `adjoints` also z̄ = ∂(loss)/∂z.
  ///
  /// - Parameters:
  ///   - tile: the blocks whose logits and powers have been written.
  ///   - isShared: whether one shift serves all sequences of a block. If not, the powers of some keys
  ///     may have vanished that a sequence consists of, and the logits are used instead.
  ///   - adjoints: whether z̄ is wanted.
  /// - Returns: the sum of the losses.
  func evaluate(_ tile: ArraySlice<WorkPlan.Block>, isShared: Bool, adjoints: Bool) -> Double

  /// z̄ of the block at a place, one per slot.
  func logitAdjoint(at place: Int) -> UnsafePointer<Double>

  /// Takes the tangents ż of the block at a place, after its logits.
  func takeTangent(_ block: WorkPlan.Block, at place: Int, tangent: UnsafePointer<Double>)

  /// z̄ and its tangent along ż, of the tile's blocks.
  func evaluateTangent(_ tile: ArraySlice<WorkPlan.Block>, isShared: Bool)

  /// The tangent of z̄ of the block at a place.
  func logitAdjointTangent(at place: Int) -> UnsafePointer<Double>

  /// Adds what is quadratic in ∇z of the block at place 0, and leaves its z̄.
  ///
  /// - Parameters:
  ///   - block: one block, whatever the tiles are.
  ///   - isShared: whether one shift serves all sequences.
  ///   - rows: ∇z of every slot, shape (slots, order).
  ///   - order: the number of parameters.
  ///   - matrix: shape (order, order); the upper triangle is accumulated into, what happens to
  ///     the lower one is open.
  func addCurvature(
    _ block: WorkPlan.Block, isShared: Bool, rows: UnsafePointer<Double>, order: Int,
    to matrix: UnsafeMutablePointer<Double>)
}
