/// When the trajectory is sampled.
public struct SamplingSettings: Sendable, Hashable {
  /// The first sample of a stage, on its own clock.
  public var first: Double
  /// Samples per factor of ten in time.
  public var perDecade: Int
  /// Whether λ_max of the Hessian is recorded at every sample.
  public var sharpness: Bool
}
