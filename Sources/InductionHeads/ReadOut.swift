import Corpora

#if canImport(Glibc)
  import Glibc
#endif

/// The second attention layer and the loss, from the logits z of the distinct pairs.
///
/// For a sequence with entries (key k, N_k, N_ke): Z = Σ N_k e^{z_k}, y_e = Σ N_ke e^{z_k} / Z, and
/// the loss is −Σ_e π_e log(y_e + ε), where a sampled target is a single column with weight one.
/// This is the one read-out that every model on compressed windows shares.
struct ReadOut {
  let columns: Int
  let floor: Double
  let offsets: UnsafePointer<Int>
  let slots: UnsafePointer<UInt32>
  let counts: UnsafePointer<Float>
  let targetCounts: UnsafePointer<Float>
  let weights: UnsafePointer<Double>
  /// Exponents of one block may differ by this much before each sequence gets its own shift.
  let sharedRange: Double

  /// e^{z − max z} for all keys of a block, and whether that shift serves every sequence of it.
  ///
  /// - Parameters:
  ///   - block: the block.
  ///   - windows: the windows of its keys.
  ///   - logits: z, one per slot.
  ///   - powers: receives the exponentials, one per slot.
  /// - Returns: whether one shift serves all sequences of the block.
  func exponentials(
    _ block: WorkPlan.Block, windows: UnsafePointer<UInt32>, _ logits: UnsafePointer<Double>,
    into powers: UnsafeMutablePointer<Double>
  ) -> Bool {
    var largest = -Double.infinity
    var smallest = Double.infinity
    let count = block.keys.count
    for place in 0..<count {
      let z = logits[block.slot(place, windows)]
      largest = max(largest, z)
      smallest = min(smallest, z)
    }
    for place in 0..<count {
      let slot = block.slot(place, windows)
      powers[slot] = exp(logits[slot] - largest)
    }
    return largest - smallest <= sharedRange
  }

  /// Exponentials of one sequence's keys, shifted by its own largest logit.
  @inline(__always)
  func shiftForSequence(
    _ sequence: Int, _ logits: UnsafePointer<Double>, into powers: UnsafeMutablePointer<Double>
  ) {
    var largest = -Double.infinity
    for e in offsets[sequence]..<offsets[sequence + 1] {
      largest = max(largest, logits[Int(slots[e])])
    }
    for e in offsets[sequence]..<offsets[sequence + 1] {
      powers[Int(slots[e])] = exp(logits[Int(slots[e])] - largest)
    }
  }

  /// Sum of the losses of some sequences; adds ∂/∂z to the adjoint of the logits.
  ///
  /// With f_e = −π_e/((y_e + ε) Z): z̄_k += e^{z_k} Σ_e f_e (N_ke − y_e N_k).
  ///
  /// - Parameters:
  ///   - sequences: the sequences, all of one block.
  ///   - logits: z of the block's keys.
  ///   - powers: e^{z − shift}; overwritten where a sequence needs a shift of its own.
  ///   - sharedShift: what ``exponentials(_:windows:_:into:)`` returned.
  ///   - logitAdjoint: z̄, accumulated into.
  /// - Returns: the sum of the losses.
  func gradient(
    _ sequences: Range<Int>, logits: UnsafePointer<Double>,
    powers: UnsafeMutablePointer<Double>, sharedShift: Bool,
    logitAdjoint: UnsafeMutablePointer<Double>
  ) -> Double {
    if columns == 1 {
      return sampledGradient(
        sequences, logits: logits, powers: powers, sharedShift: sharedShift,
        logitAdjoint: logitAdjoint)
    }
    var total = 0.0
    for s in sequences {
      if !sharedShift { shiftForSequence(s, logits, into: powers) }
      let range = offsets[s]..<offsets[s + 1]
      var z = 0.0
      for e in range { z += Double(counts[e]) * powers[Int(slots[e])] }
      for column in 0..<columns {
        let weight = weights[s * columns + column]
        if weight == 0 { continue }
        var t = 0.0
        for e in range { t += Double(targetCounts[e * columns + column]) * powers[Int(slots[e])] }
        let y = t / z
        total -= weight * log(y + floor)
        let f = -weight / ((y + floor) * z)
        for e in range {
          let k = Int(slots[e])
          logitAdjoint[k] +=
            f * powers[k] * (Double(targetCounts[e * columns + column]) - y * Double(counts[e]))
        }
      }
    }
    return total
  }

  /// ``gradient`` for sampled targets, the path that most of a run's time goes through.
  private func sampledGradient(
    _ sequences: Range<Int>, logits: UnsafePointer<Double>,
    powers: UnsafeMutablePointer<Double>, sharedShift: Bool,
    logitAdjoint: UnsafeMutablePointer<Double>
  ) -> Double {
    var total = LogarithmSum()
    var start = offsets[sequences.lowerBound]
    for s in sequences {
      if !sharedShift { shiftForSequence(s, logits, into: powers) }
      let end = offsets[s &+ 1]
      var z = 0.0
      var t = 0.0
      var e = start
      while e < end {
        let power = powers[Int(slots[e])]
        z += Double(counts[e]) * power
        t += Double(targetCounts[e]) * power
        e &+= 1
      }
      let y = t / z
      total.add(y + floor)
      let f = -1 / ((y + floor) * z)
      let fy = f * y
      e = start
      while e < end {
        let slot = Int(slots[e])
        logitAdjoint[slot] +=
          powers[slot] * (f * Double(targetCounts[e]) - fy * Double(counts[e]))
        e &+= 1
      }
      start = end
    }
    return -total.value
  }

  /// Adds the adjoint of the logits and its tangent along ż.
  ///
  /// From z̄_k = e^{z_k} Σ_e f_e (N_ke − y_e N_k):
  /// z̄̇_k += e^{z_k} Σ_e [(f_e ż_k + ḟ_e)(N_ke − y_e N_k) − f_e ẏ_e N_k], with
  /// ẏ_e = Σ_k e^{z_k} ż_k (N_ke − y_e N_k)/Z and ḟ_e = −f_e (ẏ_e/(y_e + ε) + Ż/Z).
  func tangent(
    _ sequences: Range<Int>, logits: UnsafePointer<Double>, logitTangent: UnsafePointer<Double>,
    powers: UnsafeMutablePointer<Double>, sharedShift: Bool,
    logitAdjoint: UnsafeMutablePointer<Double>, logitAdjointTangent: UnsafeMutablePointer<Double>
  ) {
    for s in sequences {
      if !sharedShift { shiftForSequence(s, logits, into: powers) }
      let range = offsets[s]..<offsets[s + 1]
      var z = 0.0
      var zDot = 0.0
      for e in range {
        let k = Int(slots[e])
        let term = Double(counts[e]) * powers[k]
        z += term
        zDot += term * logitTangent[k]
      }
      for column in 0..<columns {
        let weight = weights[s * columns + column]
        if weight == 0 { continue }
        var t = 0.0
        var tDot = 0.0
        for e in range {
          let k = Int(slots[e])
          let term = Double(targetCounts[e * columns + column]) * powers[k]
          t += term
          tDot += term * logitTangent[k]
        }
        let y = t / z
        let yDot = (tDot - y * zDot) / z
        let f = -weight / ((y + floor) * z)
        let fDot = -f * (yDot / (y + floor) + zDot / z)
        for e in range {
          let k = Int(slots[e])
          let count = Double(counts[e])
          let gap = Double(targetCounts[e * columns + column]) - y * count
          logitAdjoint[k] += f * powers[k] * gap
          logitAdjointTangent[k] +=
            powers[k] * ((f * logitTangent[k] + fDot) * gap - f * yDot * count)
        }
      }
    }
  }
}

/// Σ log p over many p, with few logarithms.
///
/// Factors are multiplied as long as their product is far from underflow and overflow, which also
/// rounds less than adding logarithms does.
struct LogarithmSum {
  private var sum = 0.0
  private var product = 1.0

  @inline(__always)
  mutating func add(_ p: Double) {
    guard p > 1e-100 && p < 1e100 else {
      sum += log(p)
      return
    }
    product *= p
    if product < 1e-150 || product > 1e150 {
      sum += log(product)
      product = 1
    }
  }

  var value: Double { sum + log(product) }
}
