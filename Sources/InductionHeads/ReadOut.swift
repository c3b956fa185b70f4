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
