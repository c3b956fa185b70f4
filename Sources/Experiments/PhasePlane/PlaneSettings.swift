public import DeclaredKeys
public import GradientFlow

extension PhasePlane.Others: KeyChoice {}

/// A plane through the parameters, for `gradflow phase-plane`.
public struct PlaneSettings: Sendable, Hashable {
  /// One of its axes.
  public struct Axis: Sendable, Hashable {
    /// The coordinate: a parameter, or one that the family has beside them.
    public var name: String
    /// Where it begins.
    public var from: Double
    /// Where it ends, above `from`.
    public var to: Double
  }

  /// A point that a path starts from.
  public struct Start: Sendable, Hashable {
    /// The first coordinate.
    public var x: Double
    /// The second coordinate.
    public var y: Double
  }

  /// The first axis.
  public var x: Axis
  /// The second axis.
  public var y: Axis
  /// Nodes of the grid along each axis.
  public var grid: Int
  /// What becomes of the other trained parameters.
  public var others: PhasePlane.Others
  /// The stage whose parameters are trained.
  public var stage: String
  /// Points that paths start from.
  public var starts: [Start]
  /// Paths that start on a grid of its own: so many along each axis.
  public var startGrid: Int
  /// How long paths last.
  public var duration: Double
}
