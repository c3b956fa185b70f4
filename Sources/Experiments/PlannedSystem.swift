import DeclaredKeys
import FlowAnalysis
import GradientFlow
import Objectives
import RunRecords

/// What an experiment trains, planned: nothing is sampled yet and nothing large allocated.
protocol PlannedSystem: Sendable {
  /// Names and groups of the parameters.
  var layout: ParameterLayout { get }
  /// The quantities that are sampled beside the parameters.
  var observableNames: [String] { get }
  /// θ(0).
  var start: [Double] { get }
  /// How large the problem is.
  var size: ProblemSize { get }

  /// Samples what there is to sample, and poses the loss.
  ///
  /// - Parameters:
  ///   - threads: threads to use; the result does not depend on it.
  ///   - shared: data of other flows, which are taken over where they are the same.
  /// - Returns: the loss, with what it was made from.
  func prepared(threads: Int, sharing shared: SharedData) -> any PreparedSystem

  /// What a person wants to know of the parameters.
  func summary(at parameters: [Double]) -> SystemSummary

  /// How trained parameters do on fresh data.
  ///
  /// - Parameters:
  ///   - parameters: θ.
  ///   - threads: threads to use; the result does not depend on it.
  /// - Returns: the evaluation, ready to run.
  /// - Throws: `DocumentError` where no fresh data can be drawn.
  func evaluation(of parameters: [Double], threads: Int) throws(DocumentError) -> Evaluation

  /// The coordinates of phase planes that there are beside the parameters.
  var planeCoordinates: [PlaneCoordinate] { get }

  /// The error that the loss at the start is not finite, or if it is that its gradient is not.
  func infiniteStart(_ loss: Double) -> DocumentError
}

extension PlannedSystem {
  /// What is not finite where the loss is this one, in words: of the loss, or if that is finite, of its gradient.
  func notFinite(_ loss: Double, _ place: String = "") -> String {
    loss.isFinite
      ? "the gradient\(place) is not finite"
      : "the loss\(place) is \(loss.isNaN ? "not a number" : "\(loss)")"
  }
}

/// A loss that stands, with what it was made from.
protocol PreparedSystem: Sendable {
  /// The loss.
  var objective: any Objective { get }
  /// The loss that discrete optimisers train: the same, unless that has no classical flow.
  var trainedObjective: any Objective { get }
  /// What it is taken over, in words.
  var description: String { get }
  /// The data from which anybody can compute the loss; nil where there are none.
  func arrays() -> (file: FileName, arrays: [String: NumPyArray])?

  /// What sampling leaves open of the times of events, by name: standard errors.
  ///
  /// - Parameters:
  ///   - problem: the flow.
  ///   - trajectory: what became of it.
  ///   - options: what it was solved with.
  ///   - observer: told after every accepted step of further flows; returns whether to go on.
  /// - Returns: one for each event that all parts of the sample reach; none where nothing is sampled.
  func samplingErrors(
    of problem: FlowProblem, _ trajectory: Trajectory, solvedWith options: SolverOptions,
    observer: @escaping (FlowProgress) -> Bool
  ) -> [String: Double]

  /// The loss over batches of the data; nil where there is no such thing.
  func batches() -> (any BatchSource)?

  /// Holds claims against a flow.
  ///
  /// - Parameters:
  ///   - claims: at least one.
  ///   - problem: the flow.
  ///   - trajectory: what became of it.
  ///   - options: what it was solved with.
  ///   - sampling: when it was sampled.
  ///   - samplingErrors: what sampling leaves open.
  /// - Returns: the findings in the order of the claims, and what claims across flows need, if there are such.
  func judged(
    _ claims: [Claim], _ problem: FlowProblem, _ trajectory: Trajectory,
    solvedWith options: SolverOptions, sampling: SampleSchedule, samplingErrors: [String: Double]
  ) -> (findings: [Finding], swept: SweptFlow?)
}

extension PreparedSystem {
  var trainedObjective: any Objective { objective }
}

/// What a person wants to know of parameters.
public struct SystemSummary: Sendable, Equatable {
  /// The most telling quantities, by the names of columns of `flows.csv`.
  public let quantities: [Quantity]
  /// All of it on one line, short.
  public let progress: String
  /// The same as a sentence.
  public let sentence: String

  /// A named number or text.
  public struct Quantity: Sendable, Equatable {
    /// The name.
    public let name: String
    /// A number.
    public let number: Double?
    /// A text, where it is not a number.
    public let text: String?

    init(_ name: String, _ number: Double) {
      self.name = name
      self.number = number
      text = nil
    }

    init(_ name: String, _ text: String) {
      self.name = name
      number = nil
      self.text = text
    }
  }
}
