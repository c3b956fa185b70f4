import CNumerics.Sundials

/// The SUNDIALS context of one integrator, and the place where the library's messages go.
///
/// Every handle retains its context, so the context is freed last whatever the order is. It counts
/// the handles alive, which is how the tests see that nothing leaks.
@safe package final class Context {
  let pointer: SUNContext
  private let messages: UnsafeMutablePointer<CNMessages>

  /// The number of handles that are allocated and not freed yet.
  package fileprivate(set) var liveHandles = 0

  /// A silent context.
  package init() throws(IntegrationError) {
    let messages = UnsafeMutablePointer<CNMessages>.allocate(capacity: 1)
    unsafe messages.initialize(to: CNMessages())
    var pointer: SUNContext?
    let code = unsafe CNContextCreate(messages, &pointer)
    guard let pointer = unsafe pointer, code == 0 else {
      unsafe messages.deallocate()
      throw .setup("SUNContext_Create", ReturnCode(rawValue: code))
    }
    unsafe self.pointer = pointer
    unsafe self.messages = messages
  }

  deinit {
    var pointer: SUNContext? = unsafe pointer
    unsafe SUNContext_Free(&pointer)
    unsafe messages.deallocate()
  }

  /// What the library said since ``clearMessage()``.
  var message: String { unsafe String(cString: CNMessagesText(messages)) }

  func clearMessage() { unsafe CNMessagesClear(messages) }

  /// A new CVODE memory block of this context whose messages come here.
  func makeIntegrator(method: Int32) -> UnsafeMutableRawPointer? {
    unsafe CNIntegratorCreate(method, pointer, messages)
  }

  /// Counts one handle more.
  func retainHandle() { liveHandles += 1 }

  /// Counts one handle less.
  func releaseHandle() { liveHandles -= 1 }
}

extension IntegrationError {
  /// A failure before there is any time to speak of.
  static func setup(
    _ call: String, _ code: ReturnCode, message: String = "", time: Double = .nan
  ) -> IntegrationError {
    IntegrationError(
      reason: .solver, call: call, code: code, time: time, libraryMessage: message,
      underlying: nil)
  }
}
