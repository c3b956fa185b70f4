public import GradientFlow
import InductionHeads
import MarkovChains

/// What a transformer has selected, held against the information in the chains of its data.
public struct LearnedLags: Sendable {
  /// A set of lags, the columns of the trajectory whose sum is its share, and its information, Ĩ or what takes its
  /// place, in each of some chains, the same for all sets.
  public typealias Candidate = (lags: [Int], columns: [String], informations: [Double])

  private let candidates: [Candidate]
  private let trajectory: Trajectory

  /// Gathers the evidence of one flow.
  ///
  /// - Parameters:
  ///   - candidates: all sets that the model can select; none where the chains are not known.
  ///   - trajectory: the flow.
  public init(_ candidates: [Candidate], _ trajectory: Trajectory) {
    self.candidates = candidates
    self.trajectory = trajectory
  }

  /// F1: the share of S* = argmax Ĩ at the end is larger than that of any other set, if S* is known.
  ///
  /// - Returns: one finding.
  public func findings() -> [Finding] {
    func none(_ reason: String) -> [Finding] {
      [Finding(.learnedLags, "share of S*", notApplicable: reason)]
    }
    guard trajectory.isWhole else { return none("the flow did not come to its end") }
    let means = candidates.map { $0.informations.reduce(0, +) / Double($0.informations.count) }
    guard let place = means.indices.max(by: { means[$0] < means[$1] }) else {
      return none("the chains that the data come from are not known")
    }
    let best = candidates[place]
    for other in candidates where other.lags != best.lags {
      let gaps = zip(best.informations, other.informations).map { $0 - $1 }
      if !Self.isDecided(gaps) {
        return none(
          "{\(Self.list(best.lags))} and {\(Self.list(other.lags))} hold the same information "
            + "within three standard errors")
      }
    }
    guard let last = trajectory.samples.last else { return none("there are no samples") }
    func share(_ candidate: Candidate) -> Double {
      candidate.columns.reduce(0) { sum, name in
        guard let column = trajectory.columns.firstIndex(of: name) else {
          preconditionFailure("the trajectory has no column \(name)")
        }
        return sum + last.values[column]
      }
    }
    guard candidates.contains(where: { share($0) > 0 }) else {
      return none("the scores are the same whatever the windows hold")
    }
    let others = candidates.filter { $0.lags != best.lags }.map { ($0.lags, share($0)) }
    guard let next = others.max(by: { $0.1 < $1.1 }) else { return none("there is no other set") }
    let unexplained = trajectory.columns.firstIndex(of: "unexplained").map { last.values[$0] }
    return [
      Finding(
        .learnedLags,
        "share of S* = {\(Self.list(best.lags))} at the end, against the largest other",
        derived: next.1.nextUp, measured: share(best), uncertainty: 0, modelError: 0,
        relation: .atLeast,
        detail: "next is {\(Self.list(next.0))}"
          + (unexplained.map { ", unexplained \(Float($0))" } ?? ""))
    ]
  }

  /// Whether a mean is at least three standard errors above zero; of one chain there is nothing to doubt.
  private static func isDecided(_ gaps: [Double]) -> Bool {
    let count = Double(gaps.count)
    let mean = gaps.reduce(0, +) / count
    let squares = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return count < 2 || mean > 3 * (squares / (count - 1) / count).squareRoot()
  }

  private static func list(_ lags: [Int]) -> String {
    lags.map(String.init).joined(separator: ",")
  }
}
