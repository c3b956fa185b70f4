public import MarkovChains

/// The mean loss of a trained model on fresh data of one length and prior.
public struct FreshLoss: Sendable, Equatable {
  /// α; nil where the chain comes from a file.
  public let concentration: Double?
  /// L.
  public let length: Int
  /// The loss.
  public let loss: Estimate
  /// By how much it lies below that at the length before, less what the true kernel's does; nil at the first.
  public let drop: Estimate?

  /// The loss of one length and prior.
  public init(concentration: Double?, length: Int, loss: Estimate, drop: Estimate?) {
    self.concentration = concentration
    self.length = length
    self.loss = loss
    self.drop = drop
  }
}

extension Claim {
  /// G9: the loss falls from each length to the next, or rises by no more than its standard error.
  ///
  /// - Parameter losses: by concentration, and by length ascending.
  /// - Returns: one finding for each pair of lengths that follow each other; none for other claims.
  public func findings(on losses: [FreshLoss]) -> [Finding] {
    guard self == .lengths else { return [] }
    let findings = zip(losses, losses.dropFirst()).compactMap { before, own -> Finding? in
      guard let drop = own.drop, before.concentration == own.concentration else { return nil }
      let place = own.concentration.map { ", α=\($0)" } ?? ""
      return Finding(
        .lengths,
        "fall of the loss, above the kernel's, from L=\(before.length) to \(own.length)\(place)",
        derived: 0, measured: drop.value, uncertainty: drop.standardError, modelError: 0,
        relation: .atLeast, detail: "loss \(Evidence.text(own.loss.value))")
    }
    return findings.isEmpty
      ? [Finding(.lengths, "", notApplicable: "there are fewer than two lengths")] : findings
  }
}
