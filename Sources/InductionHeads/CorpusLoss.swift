import CKernels
import Corpora

/// The sum of −Σ_e π_e log(y_e + ε) over the sequences of a compressed corpus.
struct CorpusLoss: PairLoss {
  let corpus: CompressedCorpus
  let counts: SequenceCounts
  let floor: Double
  let plan: WorkPlan

  init(_ corpus: CompressedCorpus, floor: Double, lanes: Int) {
    self.corpus = corpus
    self.floor = floor
    counts = SequenceCounts(corpus, floor: floor)
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

  /// The read-out over the corpus's arrays, valid while `body` runs.
  func withReadOut<Result>(_ body: (ReadOut) -> Result) -> Result? {
    corpus.entryOffsets.withUnsafeBufferPointer { offsets in
      corpus.entrySlots.withUnsafeBufferPointer { slots in
        corpus.entryCounts.withUnsafeBufferPointer { counts in
          corpus.entryTargetCounts.withUnsafeBufferPointer { targetCounts in
            corpus.targetWeights.withUnsafeBufferPointer { weights in
              guard let offsets = offsets.baseAddress, let slots = slots.baseAddress,
                let counts = counts.baseAddress, let targetCounts = targetCounts.baseAddress,
                let weights = weights.baseAddress
              else { return nil }
              return body(
                ReadOut(
                  columns: corpus.columns, floor: floor, offsets: offsets, slots: slots,
                  counts: counts, targetCounts: targetCounts, weights: weights))
            }
          }
        }
      }
    }
  }
}

/// One lane of a ``CorpusLoss``; its tiles are single blocks.
final class LaneCorpusLoss: LanePairLoss {
  private let loss: CorpusLoss
  private let logits, powers, adjoint: Buffer
  /// T of a piece.
  private let scratch: Buffer
  /// What only second derivatives need, made at their first use.
  private lazy var tangent = Buffer(logits.count)
  private lazy var adjointTangent = Buffer(logits.count)
  private var curvature: CurvatureVectors?

  init(_ loss: CorpusLoss) {
    self.loss = loss
    let slots = paddedToLanes(loss.plan.widestBlock)
    logits = Buffer(slots)
    powers = Buffer(slots)
    adjoint = Buffer(slots)
    scratch = Buffer(loss.counts.scratchSize)
  }

  func logits(at place: Int) -> UnsafeMutablePointer<Double> { logits.pointer }

  func powers(at place: Int) -> UnsafeMutablePointer<Double> { powers.pointer }

  func evaluate(_ tile: ArraySlice<WorkPlan.Block>, isShared: Bool, adjoints: Bool) -> Double {
    precondition(tile.count <= 1, "a corpus has tiles of one block")
    guard let block = tile.first, let piece = block.piece else { return 0 }
    if adjoints { clearAdjoint(block) }
    return loss.counts.with(piece) { sequences in
      gf_read_out(
        &sequences, loss.floor, isShared ? powers.pointer : nil, logits.pointer,
        adjoints ? adjoint.pointer : nil, scratch.pointer)
    }
  }

  /// Zeros z̄ of a block, also of keys that no sequence of it has.
  private func clearAdjoint(_ block: WorkPlan.Block) {
    adjoint.pointer.update(repeating: 0, count: paddedToLanes(block.slots))
  }

  func logitAdjoint(at place: Int) -> UnsafePointer<Double> { UnsafePointer(adjoint.pointer) }

  func takeTangent(_ block: WorkPlan.Block, at place: Int, tangent: UnsafePointer<Double>) {
    self.tangent.pointer.update(from: tangent, count: block.slots)
  }

  func evaluateTangent(_ tile: ArraySlice<WorkPlan.Block>, isShared: Bool) {
    guard let block = tile.first else { return }
    clearAdjoint(block)
    adjointTangent.pointer.update(repeating: 0, count: block.slots)
    loss.withReadOut {
      $0.tangent(
        block.sequences, logits: logits.pointer, logitTangent: tangent.pointer,
        powers: powers.pointer, sharedShift: isShared, logitAdjoint: adjoint.pointer,
        logitAdjointTangent: adjointTangent.pointer)
    }
  }

  func logitAdjointTangent(at place: Int) -> UnsafePointer<Double> {
    UnsafePointer(adjointTangent.pointer)
  }

  // With z̄ and B_k = N_k e^{z_k}/Z, for one sequence and δ_e = ∂y_e/∂z,
  //
  //   ∂²ℓ/∂z² = diag(z̄) − z̄Bᵀ − Bz̄ᵀ + Σ_e π_e/(y_e + ε)² δ_e δ_eᵀ;
  //
  // all but the diagonal is of rank d + 1 or less in the space of parameters.
  func addCurvature(
    _ block: WorkPlan.Block, windows: UnsafePointer<UInt32>, isShared: Bool,
    rows: UnsafePointer<Double>, order: Int, to matrix: UnsafeMutablePointer<Double>
  ) {
    clearAdjoint(block)
    let vectors: CurvatureVectors
    if let kept = curvature, kept.order == order {
      vectors = kept
    } else {
      vectors = CurvatureVectors(order: order)
    }
    curvature = vectors
    loss.withReadOut { readOut in
      for s in block.sequences {
        if !isShared { readOut.shiftForSequence(s, logits.pointer, into: powers.pointer) }
        readOut.addCurvature(
          s, powers: powers.pointer, rows: rows, vectors, logitAdjoint: adjoint.pointer,
          to: matrix)
      }
    }
  }
}

/// B, the gradient of one loss, and one ∇y_e, each in the space of parameters.
final class CurvatureVectors {
  let average, lossGradient, outputGradient: Buffer
  let order: Int

  init(order: Int) {
    self.order = order
    average = Buffer(order)
    lossGradient = Buffer(order)
    outputGradient = Buffer(order)
  }
}

extension ReadOut {
  /// Adds one sequence: z̄ of its keys, and the part of its curvature that is quadratic in ∇z.
  func addCurvature(
    _ s: Int, powers: UnsafePointer<Double>, rows: UnsafePointer<Double>,
    _ vectors: CurvatureVectors, logitAdjoint: UnsafeMutablePointer<Double>,
    to matrix: UnsafeMutablePointer<Double>
  ) {
    let n = vectors.order
    let range = offsets[s]..<offsets[s + 1]
    vectors.average.clear()
    vectors.lossGradient.clear()
    var z = 0.0
    for e in range {
      let key = Int(slots[e])
      let term = Double(counts[e]) * powers[key]
      z += term
      addScaled(term, rows + key * n, to: vectors.average.pointer, n)
    }
    for i in 0..<n { vectors.average.pointer[i] /= z }
    for column in 0..<columns {
      let weight = weights[s * columns + column]
      if weight == 0 { continue }
      var t = 0.0
      for e in range {
        let count = Double(targetCounts[e * columns + column])
        if count > 0 { t += count * powers[Int(slots[e])] }
      }
      let y = t / z
      let f = -1 / ((y + floor) * z)
      vectors.outputGradient.clear()
      for e in range {
        let key = Int(slots[e])
        let adjoint =
          f * powers[key]
          * (Double(targetCounts[e * columns + column]) - y * Double(counts[e]))
        logitAdjoint[key] += weight * adjoint
        addScaled(adjoint, rows + key * n, to: vectors.outputGradient.pointer, n)
      }
      // What is summed is −∇y/(y + ε); the curvature wants π/(y + ε)² ∇y ∇yᵀ.
      addOuter(weight, vectors.outputGradient.pointer, to: matrix, n)
      addScaled(weight, vectors.outputGradient.pointer, to: vectors.lossGradient.pointer, n)
    }
    let u = vectors.lossGradient.pointer
    let b = vectors.average.pointer
    for i in 0..<n {
      let row = matrix + (i &* n &+ i)
      addScaled(-u[i], b + i, to: row, n &- i)
      addScaled(-b[i], u + i, to: row, n &- i)
    }
  }
}
