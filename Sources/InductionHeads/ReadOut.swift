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
  let keys: UnsafePointer<UInt32>
  let counts: UnsafePointer<Float>
  let targetCounts: UnsafePointer<Float>
  let weights: UnsafePointer<Double>

  /// Exponents of one block differ by at most this much before each sequence gets its own shift.
  static let safeRange = 600.0

  /// e^{z − max z} for all keys of a block, and whether that shift serves every sequence of it.
  ///
  /// - Parameters:
  ///   - logits: z, `count` values.
  ///   - powers: receives the exponentials.
  ///   - count: number of keys.
  func exponentials(
    _ logits: UnsafePointer<Double>, into powers: UnsafeMutablePointer<Double>, count: Int
  ) -> Bool {
    var largest = -Double.infinity
    var smallest = Double.infinity
    for k in 0..<count {
      largest = max(largest, logits[k])
      smallest = min(smallest, logits[k])
    }
    for k in 0..<count { powers[k] = exp(logits[k] - largest) }
    return largest - smallest <= Self.safeRange
  }

  /// Exponentials of one sequence's keys, shifted by its own largest logit.
  @inline(__always)
  func shiftForSequence(
    _ sequence: Int, _ logits: UnsafePointer<Double>, into powers: UnsafeMutablePointer<Double>
  ) {
    var largest = -Double.infinity
    for e in offsets[sequence]..<offsets[sequence + 1] {
      largest = max(largest, logits[Int(keys[e])])
    }
    for e in offsets[sequence]..<offsets[sequence + 1] {
      powers[Int(keys[e])] = exp(logits[Int(keys[e])] - largest)
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
  ///   - sharedShift: what ``exponentials(_:into:count:)`` returned.
  ///   - logitAdjoint: z̄, accumulated into.
  func gradient(
    _ sequences: Range<Int>, logits: UnsafePointer<Double>,
    powers: UnsafeMutablePointer<Double>, sharedShift: Bool,
    logitAdjoint: UnsafeMutablePointer<Double>
  ) -> Double {
    var total = 0.0
    for s in sequences {
      if !sharedShift { shiftForSequence(s, logits, into: powers) }
      let range = offsets[s]..<offsets[s + 1]
      if columns == 1 {
        var z = 0.0
        var t = 0.0
        for e in range {
          let power = powers[Int(keys[e])]
          z += Double(counts[e]) * power
          t += Double(targetCounts[e]) * power
        }
        let y = t / z
        total -= log(y + floor)
        let f = -1 / ((y + floor) * z)
        for e in range {
          let k = Int(keys[e])
          logitAdjoint[k] += f * powers[k] * (Double(targetCounts[e]) - y * Double(counts[e]))
        }
        continue
      }
      var z = 0.0
      for e in range { z += Double(counts[e]) * powers[Int(keys[e])] }
      for column in 0..<columns {
        let weight = weights[s * columns + column]
        if weight == 0 { continue }
        var t = 0.0
        for e in range { t += Double(targetCounts[e * columns + column]) * powers[Int(keys[e])] }
        let y = t / z
        total -= weight * log(y + floor)
        let f = -weight / ((y + floor) * z)
        for e in range {
          let k = Int(keys[e])
          logitAdjoint[k] +=
            f * powers[k] * (Double(targetCounts[e * columns + column]) - y * Double(counts[e]))
        }
      }
    }
    return total
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
        let k = Int(keys[e])
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
          let k = Int(keys[e])
          let term = Double(targetCounts[e * columns + column]) * powers[k]
          t += term
          tDot += term * logitTangent[k]
        }
        let y = t / z
        let yDot = (tDot - y * zDot) / z
        let f = -weight / ((y + floor) * z)
        let fDot = -f * (yDot / (y + floor) + zDot / z)
        for e in range {
          let k = Int(keys[e])
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
