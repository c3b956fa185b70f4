import CVODE
import Objectives

/// The event functions of one stage: phase transitions, recorded and continued, and stop
/// conditions, which end the stage.
struct WatchedEvents {
  enum Kind {
    case phase(PhaseEvent)
    case stop(StopCondition)
  }

  /// A phase function this close to zero is at its transition: far above the rounding of log-odds,
  /// far below anything that a flow's tolerance resolves.
  private static let margin = 1e-9

  let kinds: [Kind]
  /// A stop condition that holds already at the start.
  let metAtStart: StopCondition?
  /// For each quantity of a stop condition: its place among a sample's values.
  private let positions: [String: Int]
  private let needsSharpness: Bool

  /// - Parameters:
  ///   - stage: what is trained, and when it stops.
  ///   - dynamics: loaded with the start of the stage.
  init(stage: Stage, dynamics: StageDynamics) {
    let objective = dynamics.objective
    needsSharpness = stage.stopConditions.contains { $0.quantity == "sharpness" }
    let columns = Trajectory.columns(
      layout: objective.layout, observables: objective.observableNames, sharpness: needsSharpness)
    var positions: [String: Int] = [:]
    for condition in stage.stopConditions {
      guard let position = columns.firstIndex(of: condition.quantity) else {
        preconditionFailure("no column is called \(condition.quantity)")
      }
      positions[condition.quantity] = position
    }
    self.positions = positions

    let parameters = dynamics.parameters
    var kinds: [Kind] = []
    for event in objective.phaseEvents
    where !Set(event.groups).isDisjoint(with: stage.trainedGroups) {
      // A transition that lies behind at the start is not one of this stage.
      if event.function(parameters.span) < -Self.margin { kinds.append(.phase(event)) }
    }
    var met: StopCondition?
    if !stage.stopConditions.isEmpty {
      let sample = dynamics.sample(sharpness: needsSharpness)
      for condition in stage.stopConditions {
        if Self.value(of: condition, positions, sample) >= 0 {
          met = met ?? condition
        } else {
          kinds.append(.stop(condition))
        }
      }
    }
    self.kinds = kinds
    metAtStart = met
  }

  /// All functions rise through zero.
  func functions(_ dynamics: StageDynamics) -> EventFunctions? {
    if kinds.isEmpty { return nil }
    let (kinds, positions, needsSharpness) = (kinds, positions, needsSharpness)
    return EventFunctions(directions: kinds.map { _ in .rising }) { _, state, values in
      dynamics.load(state)
      let sample = positions.isEmpty ? [] : dynamics.sample(sharpness: needsSharpness)
      for (i, kind) in kinds.enumerated() {
        switch kind {
        case .phase(let event): values[i] = event.function(dynamics.parameters.span)
        case .stop(let condition): values[i] = Self.value(of: condition, positions, sample)
        }
      }
    }
  }

  /// The transitions that the loaded parameters have reached, to within rounding.
  ///
  /// Where a stage stops at the very level of a transition, the root finder reports the one or the
  /// other; both have happened.
  func reached(_ dynamics: StageDynamics) -> [String] {
    let parameters = dynamics.parameters
    var names: [String] = []
    for case .phase(let event) in kinds where event.function(parameters.span) >= -Self.margin {
      names.append(event.name)
    }
    return names
  }

  /// Positive once the condition holds.
  private static func value(
    of condition: StopCondition, _ positions: [String: Int], _ sample: [Double]
  ) -> Double {
    let value = sample[positions[condition.quantity] ?? 0]
    // Norms fall over many decades, so root finding sees their logarithm.
    let isLogarithmic = condition.quantity.hasPrefix("gradient_norm") && condition.level > 0
    let gap =
      isLogarithmic
      ? naturalLog(max(value, .leastNormalMagnitude) / condition.level) : value - condition.level
    return condition.side == .above ? gap : -gap
  }
}
