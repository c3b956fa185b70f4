public import DeclaredKeys
public import FlowAnalysis

/// Discrete training beside the flow.
public struct TrainingSettings: Sendable, Hashable {
  /// The optimisers; none, and nothing is trained but by the flow.
  public var optimizers: [OptimizerName]
  /// η of every stage.
  public var rates: [Double]
  /// β of the heavy ball, whose rate is η(1 − β), so that its steps are as long in time.
  public var momentum: Double
  /// Sequences, or chains, of a mini-batch.
  public var batch: Int
  /// The rate of Adam in every stage.
  public var adamRate: Double
  /// Multiples of η at which gradient descent is held against the flow.
  public var factors: [Double]
}

/// A discrete optimiser, as files call it.
public enum OptimizerName: String, KeyChoice {
  /// Full-batch gradient descent.
  case descent = "gd"
  /// Heavy ball.
  case heavyBall = "momentum"
  /// Mini-batch stochastic gradient descent.
  case stochastic = "sgd"
  /// Adam.
  case adam
}

/// A figure that a run is held against.
public struct FigureSettings: Sendable, Hashable {
  /// A column of the trajectory.
  public var quantity: String
  /// The stage.
  public var stage: String
  /// A step of gradient descent, or a time of the flow.
  public var moment: PublishedFigure.Moment
  /// The figure.
  public var value: Double
  /// How far off the mean over data sets may be.
  public var tolerance: Tolerance

  /// How far off.
  public enum Tolerance: Sendable, Hashable {
    /// A share of the figure.
    case relative(Double)
    /// In the figure's unit.
    case absolute(Double)
  }

  /// The tolerance in the figure's unit.
  public var allowance: Double {
    switch tolerance {
    case .relative(let share): share * abs(value)
    case .absolute(let width): width
    }
  }
}
