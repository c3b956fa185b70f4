import Foundation
import Synchronization

/// How SIGINT and SIGTERM end the program: with code 130, at once or between two steps.
///
/// A command that has said ``watch(_:until:)`` is asked to stop, and has ``grace`` for it. One that computes
/// where it cannot be asked (a corpus is sampled, a step takes minutes) then ends all the same: what it wrote stands
/// whole, as after a kill, and a run goes on from its last checkpoint.
enum Interruption {
  /// How long a stop may take, from the signal or from the last time that the command was heard of, in seconds.
  ///
  /// 20, or what `GRADFLOW_GRACE` says.
  static let grace =
    ProcessInfo.processInfo.environment["GRADFLOW_GRACE"].flatMap { Int($0) }
    .map { max(1, min($0, 86_400)) } ?? 20

  private static let flag = Atomic<Bool>(false)
  /// When the first signal came, in seconds of the monotonic clock; 0 before.
  private static let firstSignal = Atomic<Int>(0)
  private static let isAsked = Atomic<Bool>(false)
  /// How often the command was told to stop.
  private static let answers = Atomic<Int>(0)

  /// What there is to be asked about beside the signals, and what is said of a stop that took too long.
  private struct Watch {
    var isOver: @Sendable () -> Bool
    var advice: String
  }
  private static let watch = Mutex<Watch?>(nil)

  /// Catches the signals from now on; until ``watch(_:until:)``, one ends the program at once.
  static func begin() {
    // A reader that goes away, or a limit on the size of files, is an error of the call that
    // meets it, and not the end of the program.
    for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
    // Some parents start programs with these signals blocked, and blocked ones never come.
    var blocked = sigset_t()
    sigemptyset(&blocked)
    for number in [SIGINT, SIGTERM] { sigaddset(&blocked, number) }
    pthread_sigmask(SIG_UNBLOCK, &blocked, nil)
    // Nothing that a handler uses is made there.
    _ = (hasCome, isAsked.load(ordering: .relaxed), Exit.stopped, grace)
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        let now = Interruption.now
        let first = Interruption.firstSignal.compareExchange(
          expected: 0, desired: now, ordering: .relaxed)
        Interruption.flag.store(true, ordering: .relaxed)
        guard Interruption.isAsked.load(ordering: .relaxed) else {
          let words: StaticString = "gradflow: stopped\n"
          write(STDERR_FILENO, words.utf8Start, words.utf8CodeUnitCount)
          _exit(Exit.stopped)
        }
        // Some senders, such as timeout, send it twice at once: that is no second request.
        guard !first.exchanged, now > first.original + 1 else { return }
        signal(number, SIG_DFL)
        raise(number)
      }
    }
  }

  /// Whether one of the signals has come; one more, two seconds later or more, ends the program at once.
  static var hasCome: Bool { flag.load(ordering: .relaxed) }

  /// What is begun from now on is ended, signal or not; for what takes a moment.
  static func `defer`() { isAsked.store(true, ordering: .relaxed) }

  /// From now on the command asks ``goesOn()``.
  ///
  /// - Parameters:
  ///   - advice: what there is to do where it could not be stopped in order.
  ///   - isOver: whether it is to stop for another reason than a signal.
  static func watch(
    _ advice: String = "what it was about to write is not there; start it again",
    until isOver: @escaping @Sendable () -> Bool = { false }
  ) {
    watch.withLock { $0 = Watch(isOver: isOver, advice: advice) }
    guard !isAsked.exchange(true, ordering: .relaxed) else { return }
    Thread.detachNewThread {
      // Polls, not hours: a process that is suspended meanwhile has its time when it goes on.
      var polls = 0
      var answer = 0
      while true {
        usleep(250_000)
        guard !goesOnUnasked else { continue }
        let last = answers.load(ordering: .relaxed)
        polls = last == answer ? polls + 1 : 0
        answer = last
        guard polls > 4 * grace else { continue }
        Terminal.error(
          "stopped in the midst of something that takes long; "
            + (watch.withLock { $0?.advice } ?? ""))
        // What was printed of finished parts is there.
        fflush(nil)
        // Not exit: what still computes must not see its libraries go.
        _exit(Exit.stopped)
      }
    }
  }

  private static var goesOnUnasked: Bool {
    guard !hasCome else { return false }
    let isOver = watch.withLock { $0?.isOver }
    return isOver?() != true
  }

  /// Whether to go on, which is what a command that watches asks as often as it can.
  static func goesOn() -> Bool {
    if goesOnUnasked { return true }
    answers.add(1, ordering: .relaxed)
    return false
  }

  /// Seconds of the monotonic clock; never 0.
  private static var now: Int {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return max(1, now.tv_sec)
  }
}
