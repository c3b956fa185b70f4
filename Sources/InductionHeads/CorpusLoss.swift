import CKernels
import Corpora
import LinearAlgebra

/// The sum of the losses of the sequences of a compressed corpus.
struct CorpusLoss: PairLoss {
  let corpus: CompressedCorpus
  let counts: SequenceCounts
  let output: OutputLoss
  let plan: WorkPlan

  init(_ corpus: CompressedCorpus, output: OutputLoss, lanes: Int, threads: Int) {
    self.corpus = corpus
    self.output = output
    counts = SequenceCounts(corpus, loss: output, threads: threads)
    plan = WorkPlan(corpus, counts, lanes: lanes)
  }

  var windows: WindowTable { corpus.windows }
  var keyWindows: [UInt32] { corpus.keyWindows }
  var count: Int { corpus.sequenceCount }
  var questions: [WorkPlan.Block] {
    corpus.groups.map { group in
      WorkPlan.Block(
        query: group.query, keys: group.keys, isDense: group.isDense,
        slots: corpus.slotCount(of: group), sequences: group.sequences)
    }
  }
  var constant: Double { counts.constantLoss }

  func makeLane() -> any LanePairLoss { LaneCorpusLoss(self) }
}

/// One lane of a ``CorpusLoss``; its tiles are single blocks.
final class LaneCorpusLoss: LanePairLoss {
  private let loss: CorpusLoss
  private let logits, powers, adjoint, scratch: Buffer
  /// What only second derivatives need, made at their first use.
  private lazy var tangent = Buffer(logits.count)
  private lazy var adjointTangent = Buffer(logits.count)
  private lazy var tangentScratch = Buffer(2 * scratch.count)
  private var curvature: CurvaturePanels?

  init(_ loss: CorpusLoss) {
    self.loss = loss
    let slots = paddedToLanes(loss.plan.widestBlock)
    logits = Buffer(slots)
    powers = Buffer(slots)
    adjoint = Buffer(slots)
    scratch = Buffer((8 * loss.counts.columns + slots) * SequenceCounts.lanes)
  }

  func logits(at place: Int) -> UnsafeMutablePointer<Double> { logits.pointer }

  func powers(at place: Int) -> UnsafeMutablePointer<Double> { powers.pointer }

  func evaluate(_ tile: ArraySlice<WorkPlan.Block>, isShared: Bool, adjoints: Bool) -> Double {
    precondition(tile.count <= 1, "a corpus has tiles of one block")
    guard let block = tile.first else { return 0 }
    return with(block, isShared: isShared) { _, sequences, logits in
      gf_read_out(&sequences, &logits, adjoints ? adjoint.pointer : nil, scratch.pointer)
    } ?? 0
  }

  /// Calls `body` with the sequences of a block, if it has any, and its logits.
  private func with<Result>(
    _ block: WorkPlan.Block, isShared: Bool,
    _ body: (SequenceCounts.Piece, inout gf_sequences, inout gf_logits) -> Result
  ) -> Result? {
    guard let piece = block.piece else { return nil }
    return loss.counts.with(piece) { sequences in
      var logits = gf_logits(
        score: loss.output.score, slots: Int64(block.slots),
        powers: isShared ? UnsafePointer(powers.pointer) : nil, logits: logits.pointer)
      return body(piece, &sequences, &logits)
    }
  }

  func logitAdjoint(at place: Int) -> UnsafePointer<Double> { UnsafePointer(adjoint.pointer) }

  func takeTangent(_ block: WorkPlan.Block, at place: Int, tangent: UnsafePointer<Double>) {
    self.tangent.pointer.update(from: tangent, count: block.slots)
  }

  func evaluateTangent(_ tile: ArraySlice<WorkPlan.Block>, isShared: Bool) {
    guard let block = tile.first else { return }
    _ = with(block, isShared: isShared) { _, sequences, logits in
      gf_read_out_tangent(
        &sequences, &logits, tangent.pointer, adjoint.pointer, adjointTangent.pointer,
        tangentScratch.pointer)
    }
  }

  func logitAdjointTangent(at place: Int) -> UnsafePointer<Double> {
    UnsafePointer(adjointTangent.pointer)
  }

  func addCurvature(
    _ block: WorkPlan.Block, isShared: Bool, rows: UnsafePointer<Double>, order: Int,
    to matrix: UnsafeMutablePointer<Double>
  ) {
    let panels: CurvaturePanels
    if let kept = curvature, kept.order == order {
      panels = kept
    } else {
      panels = CurvaturePanels(order: order, loss.counts)
    }
    curvature = panels
    _ = with(block, isShared: isShared) { piece, sequences, logits in
      _ = gf_read_out(&sequences, &logits, adjoint.pointer, scratch.pointer)
      for first in stride(from: 0, to: piece.chunks.count, by: CurvaturePanels.chunks) {
        let count = min(CurvaturePanels.chunks, piece.chunks.count - first)
        let width = count * (loss.counts.targets + 2) * SequenceCounts.lanes
        gf_read_out_curvature(
          &sequences, &logits, Int64(first), Int64(count), rows, Int64(order),
          panels.left.pointer, panels.right.pointer, Int64(width), panels.scratch.pointer)
        multiply(
          MatrixView(panels.left.pointer, rows: order, columns: width),
          MatrixView(panels.right.pointer, rows: order, columns: width).transposed, keeping: 1,
          into: matrix)
      }
    }
  }
}

/// The factors of the curvature of some chunks, in the space of parameters; see `read_out.h`.
final class CurvaturePanels {
  /// Shape (order, columns), which are (targets + 2) · 8 for each chunk.
  let left, right: Buffer
  let scratch: Buffer
  let order: Int

  /// Chunks whose panels are multiplied at once: few, so that they stay in cache.
  static let chunks = 16

  init(order: Int, _ counts: SequenceCounts) {
    self.order = order
    let size = order * Self.chunks * (counts.targets + 2) * SequenceCounts.lanes
    left = Buffer(size)
    right = Buffer(size)
    scratch = Buffer((counts.columns * (order + 2) + order) * SequenceCounts.lanes)
  }
}
