/// A code that a SUNDIALS function returned; an open set, named as in CVODE's documentation.
public struct ReturnCode: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
  /// The number CVODE uses.
  public let rawValue: Int32

  /// The code with this number.
  ///
  /// - Parameter rawValue: any number; CVODE uses 0 for success and negative ones for failures.
  public init(rawValue: Int32) {
    self.rawValue = rawValue
  }

  /// Nothing went wrong.
  public static let success = ReturnCode(rawValue: 0)
  /// An event was located.
  public static let rootReturn = ReturnCode(rawValue: 2)
  /// The tolerances ask for more than double precision can give.
  public static let tooMuchAccuracy = ReturnCode(rawValue: -2)
  /// The error test failed too often in one step, or at the smallest step.
  public static let errorTestFailure = ReturnCode(rawValue: -3)
  /// The corrector failed too often in one step, or at the smallest step.
  public static let convergenceFailure = ReturnCode(rawValue: -4)
  /// The linear solver could not be initialised.
  public static let linearInitialisationFailure = ReturnCode(rawValue: -5)
  /// The linear solver's setup (the Jacobian) failed for good.
  public static let linearSetupFailure = ReturnCode(rawValue: -6)
  /// The linear solver's solve failed for good.
  public static let linearSolveFailure = ReturnCode(rawValue: -7)
  /// The right-hand side failed for good.
  public static let derivativeFailure = ReturnCode(rawValue: -8)
  /// The right-hand side failed at its first call.
  public static let firstDerivativeFailure = ReturnCode(rawValue: -9)
  /// The right-hand side failed recoverably, too often in one step.
  public static let repeatedDerivativeFailure = ReturnCode(rawValue: -10)
  /// The right-hand side failed recoverably where no recovery is possible.
  public static let unrecoverableDerivativeFailure = ReturnCode(rawValue: -11)
  /// The event functions failed.
  public static let eventFunctionFailure = ReturnCode(rawValue: -12)
  /// The corrector could not be initialised.
  public static let correctorInitialisationFailure = ReturnCode(rawValue: -13)
  /// The corrector's setup failed for good.
  public static let correctorSetupFailure = ReturnCode(rawValue: -14)
  /// The corrector failed for good.
  public static let correctorFailure = ReturnCode(rawValue: -16)
  /// No memory.
  public static let outOfMemory = ReturnCode(rawValue: -20)
  /// An input was refused.
  public static let illegalInput = ReturnCode(rawValue: -22)
  /// A derivative of an order above the method's was asked for.
  public static let badDerivativeOrder = ReturnCode(rawValue: -24)
  /// A time outside the last step was asked for.
  public static let badTime = ReturnCode(rawValue: -25)
  /// The target is too close to the start to tell direction and scale.
  public static let tooClose = ReturnCode(rawValue: -27)

  /// The name CVODE gives the code, such as `CV_CONV_FAILURE`.
  public var description: String {
    Self.names[rawValue] ?? "SUNDIALS code \(rawValue)"
  }

  private static let names: [Int32: String] = [
    0: "CV_SUCCESS", 1: "CV_TSTOP_RETURN", 2: "CV_ROOT_RETURN", 99: "CV_WARNING",
    -1: "CV_TOO_MUCH_WORK", -2: "CV_TOO_MUCH_ACC", -3: "CV_ERR_FAILURE", -4: "CV_CONV_FAILURE",
    -5: "CV_LINIT_FAIL", -6: "CV_LSETUP_FAIL", -7: "CV_LSOLVE_FAIL", -8: "CV_RHSFUNC_FAIL",
    -9: "CV_FIRST_RHSFUNC_ERR", -10: "CV_REPTD_RHSFUNC_ERR", -11: "CV_UNREC_RHSFUNC_ERR",
    -12: "CV_RTFUNC_FAIL", -13: "CV_NLS_INIT_FAIL", -14: "CV_NLS_SETUP_FAIL",
    -15: "CV_CONSTR_FAIL", -16: "CV_NLS_FAIL", -20: "CV_MEM_FAIL", -21: "CV_MEM_NULL",
    -22: "CV_ILL_INPUT", -23: "CV_NO_MALLOC", -24: "CV_BAD_K", -25: "CV_BAD_T",
    -26: "CV_BAD_DKY", -27: "CV_TOO_CLOSE", -28: "CV_VECTOROP_ERR", -32: "CV_CONTEXT_ERR",
    -99: "CV_UNRECOGNIZED_ERR",
  ]

  /// What to try when a call ends with this code; `nil` where there is nothing to say.
  var advice: String? {
    switch self {
    case .tooMuchAccuracy:
      "Loosen the tolerances."
    case .errorTestFailure:
      "The solution may be singular here; look at the state, or loosen the tolerances."
    case .convergenceFailure:
      "Supply an exact Jacobian, raise the Krylov dimension, or tighten the tolerances."
    case .linearInitialisationFailure, .linearSetupFailure, .linearSolveFailure:
      "Check the Jacobian, or use the dense linear solver."
    case .derivativeFailure, .firstDerivativeFailure, .repeatedDerivativeFailure,
      .unrecoverableDerivativeFailure:
      "Check the right-hand side at this time; it may have a boundary nearby."
    case .eventFunctionFailure:
      "Check the event functions at this time."
    case .outOfMemory:
      "Use a Krylov solver: the dense one stores two n × n matrices."
    case .badDerivativeOrder:
      "Ask for a derivative of at most the order of the last step."
    case .badTime:
      "Interpolate inside `interpolationInterval` only."
    case .tooClose:
      "Step toward a time further away."
    case .illegalInput:
      "Read the library's message; two events at almost the same time also end here."
    default: nil
    }
  }
}
