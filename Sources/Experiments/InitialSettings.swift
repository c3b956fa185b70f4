/// Where the flow starts.
public struct InitialSettings: Sendable, Hashable {
  /// What the parameters are before noise.
  public var start: Start
  /// The standard deviation of the Gaussian noise added to c and w, of a full transformer to all but a.
  public var noise: Double
  /// The seed of the noise.
  public var seed: Int

  /// The parameters before noise.
  public enum Start: Sendable, Hashable {
    /// Those of another run's `final.yaml`; the path is absolute.
    case file(String)
    /// Those described.
    case values(InitialValues)
  }
}

/// Initial parameters by kind.
public struct InitialValues: Sendable, Hashable {
  /// c_S for every subset S.
  public var coefficient: Double
  /// w on each head's own lag.
  public var ownWeight: Double
  /// w on the other lags.
  public var otherWeight: Double
  /// The scalar a.
  public var scale: Double
  /// W_Q and W_K of a full transformer are so many times the identity.
  public var projection: Double
  /// W_OV is so many times the identity.
  public var valueMap: Double
  /// Entries of a network's matrices have this over √(columns) as standard deviation.
  public var network: Double
  /// Single parameters that start elsewhere, by name.
  public var exceptions: [String: Double]
}
