import CKernels

/// What a prediction y costs when the next token follows a law π.
public enum OutputLoss: Sendable, Equatable {
  /// −Σ_e π_e log(y_e + ε), with the floor ε ≥ 0.
  case logProbability(floor: Double)
  /// −Σ_e π_e log softmax(y)_e: cross-entropy with y taken as logits, as in the public code of
  /// arXiv 2409.10559. At y one-hot on the right token it is log(1 + (d − 1)/e), never less.
  case crossEntropyOfLogits

  /// ε; nil where y are taken as logits.
  public var floor: Double? { if case .logProbability(let floor) = self { floor } else { nil } }

  /// Whether the loss of a drawn token depends on the probabilities of all others, too.
  public var seesEveryToken: Bool { self == .crossEntropyOfLogits }

  /// The loss of one prediction.
  ///
  /// - Parameters:
  ///   - outputs: y, not negative with sum 1: those of all tokens, or of a logarithm those that have weights.
  ///   - weights: π, or π times how often it counts; one for each of `outputs`.
  /// - Returns: the loss, infinite where a token with weight has y_e + ε = 0.
  public func value(of outputs: some Sequence<Double>, weights: some Sequence<Double>) -> Double {
    switch self {
    case .logProbability(let floor):
      return zip(outputs, weights).reduce(0) { sum, pair in
        pair.1 > 0 ? sum - pair.1 * logarithm(pair.0 + floor) : sum
      }
    case .crossEntropyOfLogits:
      var (total, weight, mean) = (0.0, 0.0, 0.0)
      for (y, w) in zip(outputs, weights) {
        total += exponential(y)
        weight += w
        mean += w * y
      }
      return weight * logarithm(total) - mean
    }
  }

  /// ∂ℓ/∂y_e.
  ///
  /// - Parameters:
  ///   - outputs: y, `count` values; where the sum of the weights is zero they may be anything.
  ///   - weights: π, every `stride`-th.
  ///   - stride: the distance between weights.
  ///   - count: d.
  ///   - slopes: receives `count` values.
  func slopes(
    of outputs: UnsafePointer<Double>, weights: UnsafePointer<Double>, stride: Int, count: Int,
    into slopes: UnsafeMutablePointer<Double>
  ) {
    switch self {
    case .logProbability(let floor):
      for e in 0..<count {
        let weight = weights[e * stride]
        slopes[e] = weight > 0 ? -weight / (outputs[e] + floor) : 0
      }
    case .crossEntropyOfLogits:
      var (total, weight) = (0.0, 0.0)
      for e in 0..<count {
        total += exponential(outputs[e])
        weight += weights[e * stride]
      }
      for e in 0..<count {
        slopes[e] = weight * exponential(outputs[e]) / total - weights[e * stride]
      }
    }
  }

  /// The same for the vector loops.
  var score: gf_score {
    gf_score(takes_logits: seesEveryToken ? 1 : 0, floor: floor ?? 0)
  }
}
