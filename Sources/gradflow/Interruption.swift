import Foundation
import Synchronization

/// Remembers SIGINT and SIGTERM, so that a run can stop between two steps.
enum Interruption {
  private static let flag = Atomic<Bool>(false)
  /// When the first one came, in seconds of the monotonic clock; 0 before.
  private static let firstSignal = Atomic<Int>(0)

  /// Whether one of the signals has come; one more, two seconds later or more, ends the program at once.
  static var hasCome: Bool { flag.load(ordering: .relaxed) }

  /// Catches the signals from now on; a second one ends the program at once.
  static func watch() {
    // A reader that goes away, or a limit on the size of files, is an error of the call that
    // meets it, and not the end of the program.
    for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
    // Some parents start programs with these signals blocked, and blocked ones never come.
    var blocked = sigset_t()
    sigemptyset(&blocked)
    for number in [SIGINT, SIGTERM] { sigaddset(&blocked, number) }
    pthread_sigmask(SIG_UNBLOCK, &blocked, nil)
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        let first = Interruption.firstSignal.compareExchange(
          expected: 0, desired: max(1, now.tv_sec), ordering: .relaxed)
        Interruption.flag.store(true, ordering: .relaxed)
        // Some senders, such as timeout, send it twice at once: that is no second request.
        guard !first.exchanged, now.tv_sec > first.original + 1 else { return }
        signal(number, SIG_DFL)
        raise(number)
      }
    }
  }
}
