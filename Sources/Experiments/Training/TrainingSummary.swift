import FlowAnalysis
import GradientFlow

/// Discrete training beside the flow, in a few numbers.
public struct TrainingSummary: Sendable, Equatable {
  /// One optimiser at one learning rate.
  public struct Method: Sendable, Equatable {
    /// What it is called: `gd`, `momentum`, `sgd`, `adam`.
    public let name: String
    /// The multiple of the learning rate.
    public let factor: Double
    /// Steps that were made.
    public let steps: Int
    /// How it ended: `finished`, `diverged`, `stopped`.
    public let status: String
    /// The loss at the last step; not a number if it did not finish.
    public let loss: Double
    /// sup_t ‖θ(t) − θ_flow(t)‖ over the length of the flow's path; nil where the optimiser has no time, or did
    /// not finish.
    public let distance: Double?
    /// The largest λ_max/(2/η) at a recorded step; nil where there is no such limit.
    public let sharpnessShare: Double?
    /// The order of convergence between the rate before and this one; nil where there is none.
    public let order: Double?
  }

  /// The optimisers that were asked for.
  public let methods: [Method]
  /// Gradient descent at multiples of the learning rate, the largest first.
  public let descents: [Method]

  init(_ outcome: TrainingRun.Outcome) {
    let comparison = outcome.comparison
    func summary(_ entry: TrainingRun.Entry, order: Double?) -> Method {
      Method(
        name: entry.method.name.rawValue, factor: entry.method.factor,
        steps: entry.record.stepCount, status: entry.record.ending.name,
        loss: entry.record.isFinished ? entry.record.samples.last?.values[0] ?? .nan : .nan,
        distance: comparison.largestDistance(of: entry.record).map { $0 / comparison.pathLength },
        sharpnessShare: entry.record.largestSharpnessShare, order: order)
    }
    methods = outcome.methods.map { summary($0, order: nil) }
    let orders = comparison.orders(
      of: outcome.descents.map { ($0.method.factor, $0.record) })
    descents = zip(outcome.descents, orders).map { summary($0, order: $1) }
  }
}
