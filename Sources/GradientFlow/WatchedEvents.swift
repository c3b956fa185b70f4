import CVODE
import Objectives

/// The event functions of one stage: phase transitions, recorded and continued, and stop
/// conditions, which end the stage.
struct WatchedEvents {
  enum Kind {
    case phase(PhaseEvent)
    case stop(StopCondition)
  }

  let kinds: [Kind]
  /// A stop condition that holds already at the start.
  let metAtStart: StopCondition?

  /// - Parameters:
  ///   - stage: what is trained, and when it stops.
  ///   - dynamics: loaded with the start of the stage.
  ///   - columns: the names of a sample's values.
  init(stage: Stage, dynamics: StageDynamics, columns: [String]) {
    let parameters = dynamics.parameters
    var kinds: [Kind] = []
    for event in dynamics.objective.phaseEvents
    where !Set(event.groups).isDisjoint(with: stage.trainedGroups) {
      // A transition that lies behind at the start is not one of this stage.
      if event.function(parameters.span) < 0 { kinds.append(.phase(event)) }
    }
    var met: StopCondition?
    for condition in stage.stopConditions {
      if Self.value(of: condition, dynamics, columns) >= 0 {
        met = met ?? condition
      } else {
        kinds.append(.stop(condition))
      }
    }
    self.kinds = kinds
    metAtStart = met
  }

  /// All functions rise through zero.
  func functions(_ dynamics: StageDynamics, columns: [String]) -> EventFunctions? {
    if kinds.isEmpty { return nil }
    let kinds = kinds
    return EventFunctions(directions: kinds.map { _ in .rising }) { _, state, values in
      dynamics.load(state)
      for (i, kind) in kinds.enumerated() {
        switch kind {
        case .phase(let event): values[i] = event.function(dynamics.parameters.span)
        case .stop(let condition): values[i] = Self.value(of: condition, dynamics, columns)
        }
      }
    }
  }

  /// Positive once the condition holds.
  private static func value(
    of condition: StopCondition, _ dynamics: StageDynamics, _ columns: [String]
  ) -> Double {
    let isSharpness = condition.quantity == "sharpness"
    let values = dynamics.sample(sharpness: isSharpness)
    // The sharpness stands last, whether or not the trajectory samples it.
    let position = isSharpness ? values.count - 1 : columns.firstIndex(of: condition.quantity)
    guard let index = position else {
      preconditionFailure("no column is called \(condition.quantity)")
    }
    // Norms fall over many decades, so root finding sees their logarithm.
    let logarithmic = condition.quantity.hasPrefix("gradient_norm") && condition.level > 0
    let gap =
      logarithmic
      ? naturalLog(max(values[index], .leastNormalMagnitude) / condition.level)
      : values[index] - condition.level
    return condition.side == .above ? gap : -gap
  }
}
