import Corpora

/// The sum of −Σ_e π_e log(y_e + ε) over the sequences of a compressed corpus.
struct CorpusLoss: PairLoss {
  let corpus: CompressedCorpus
  let floor: Double
  let plan: WorkPlan
  /// Exponents of one block may differ by this much before each sequence gets a shift of its own.
  let sharedRange: Double

  var windows: WindowTable { corpus.windows }
  var keyWindows: [UInt32] { corpus.keyWindows }
  var count: Int { corpus.sequenceCount }

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
                  counts: counts, targetCounts: targetCounts, weights: weights,
                  sharedRange: sharedRange))
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
  private var isShared = false
  /// What only second derivatives need, made at their first use.
  private lazy var tangent = Buffer(logits.count)
  private lazy var adjointTangent = Buffer(logits.count)
  private var curvature: CurvatureVectors?

  init(_ loss: CorpusLoss) {
    self.loss = loss
    logits = Buffer(loss.plan.widestBlock)
    powers = Buffer(loss.plan.widestBlock)
    adjoint = Buffer(loss.plan.widestBlock)
  }

  func take(
    _ block: WorkPlan.Block, at place: Int, windows: UnsafePointer<UInt32>,
    logits: UnsafePointer<Double>
  ) {
    precondition(place == 0, "a corpus has tiles of one block")
    self.logits.pointer.update(from: logits, count: block.slots)
    isShared =
      loss.withReadOut {
        $0.exponentials(block, windows: windows, logits, into: powers.pointer)
      } ?? true
  }

  func evaluate(_ tile: ArraySlice<WorkPlan.Block>, adjoints: Bool) -> Double {
    guard let block = tile.first else { return 0 }
    adjoint.pointer.update(repeating: 0, count: block.slots)
    return loss.withReadOut {
      $0.gradient(
        block.sequences, logits: logits.pointer, powers: powers.pointer, sharedShift: isShared,
        logitAdjoint: adjoint.pointer)
    } ?? 0
  }

  func logitAdjoint(at place: Int) -> UnsafePointer<Double> { UnsafePointer(adjoint.pointer) }

  func takeTangent(_ block: WorkPlan.Block, at place: Int, tangent: UnsafePointer<Double>) {
    self.tangent.pointer.update(from: tangent, count: block.slots)
  }

  func evaluateTangent(_ tile: ArraySlice<WorkPlan.Block>) {
    guard let block = tile.first else { return }
    adjoint.pointer.update(repeating: 0, count: block.slots)
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
    _ block: WorkPlan.Block, windows: UnsafePointer<UInt32>, logits: UnsafePointer<Double>,
    rows: UnsafePointer<Double>, order: Int, to matrix: UnsafeMutablePointer<Double>
  ) {
    take(block, at: 0, windows: windows, logits: logits)
    adjoint.pointer.update(repeating: 0, count: block.slots)
    let vectors = curvature ?? CurvatureVectors(order: order)
    curvature = vectors
    loss.withReadOut { readOut in
      for s in block.sequences {
        if !isShared { readOut.shiftForSequence(s, logits, into: powers.pointer) }
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
