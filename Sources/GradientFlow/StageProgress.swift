import CVODE

/// Where the integration of a stage stands, beside what its trajectory holds.
struct StageProgress: Sendable {
  /// The stage's own clock.
  var clock = 0.0
  /// The work before the integrator at hand was made.
  var statistics = Statistics()
  /// Accepted times that differ, from 0 on.
  var times: [Double] = [0]
  /// ‖∇L‖² over the trained parameters at each of them.
  var squaredNorms: [Double]
  /// L at the last of them.
  var lastLoss: Double
  /// Steps that may hold loss-drop events.
  var interpolants: [StepInterpolant] = []
  /// Samples taken inside the stage.
  var samplesTaken = 0
  /// The transitions that were reached, by name.
  var reached: [String: Reached] = [:]

  /// When a transition was reached, on the stage's own clock, and the size of the step it lies in.
  struct Reached: Sendable {
    let time: Double
    let step: Double
  }
}
