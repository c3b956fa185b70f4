import Foundation
import Testing

/// A clock that jumps by years, back and forth, each time that it is read.
@Suite struct HostileClockTests {
  /// Stands before the C library: the time of day jumps, the monotonic clock does not.
  private static let shim = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <stdint.h>
    #include <sys/time.h>
    #include <time.h>
    static int64_t jump(void) {
      static _Atomic uint64_t state = 1;
      uint64_t z = state += 0x9E3779B97F4A7C15u;
      z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
      return (int64_t)((z ^ (z >> 27)) % 800000000u) - 400000000;
    }
    int clock_gettime(clockid_t id, struct timespec *now) {
      static int (*real)(clockid_t, struct timespec *);
      if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
      int code = real(id, now);
      if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) now->tv_sec += jump();
      return code;
    }
    int gettimeofday(struct timeval *now, void *zone) {
      struct timespec exact;
      clock_gettime(CLOCK_REALTIME, &exact);
      now->tv_sec = exact.tv_sec;
      now->tv_usec = exact.tv_nsec / 1000;
      return 0;
    }
    time_t time(time_t *out) {
      struct timespec now;
      clock_gettime(CLOCK_REALTIME, &now);
      if (out) *out = now.tv_sec;
      return now.tv_sec;
    }
    """

  @Test func nothingHangsOnTheTimeOfDay() throws {
    let scratch = try Scratch()
    try scratch.write(ResumeTests.slow, as: "x.yaml")
    #expect(try scratch.run("run", "x.yaml", "--out", "whole", "--quiet").code == 0)
    let library = try Moment.library("jump", of: Self.shim, in: scratch.folder)
    let jumping = "LD_PRELOAD='\(library)' exec \"$0\" \"$@\""
    // A budget is a time that passes, not one that a clock says: one that is ample lets the run end.
    let ample = try scratch.run(
      "run", "x.yaml", "--out", "ample", "--budget", "1h",
      shell: jumping)
    #expect(ample.code == 0, "\(ample)")
    let begun = try scratch.run(
      "run", "x.yaml", "--out", "run", "--resume", "--budget", "0.5s", shell: jumping)
    #expect(begun.code == 130 || begun.code == 0, "\(begun)")
    let clock = ContinuousClock()
    let start = clock.now
    let ended = try scratch.run("run", "x.yaml", "--out", "run", "--resume", shell: jumping)
    let passed = (clock.now - start) / .seconds(1)
    #expect(ended.code == 0, "\(ended)")
    let (whole, run) = (try scratch.files(in: "whole"), try scratch.files(in: "run"))
    #expect(run == whole)
    // Seconds that were taken, and not the difference of two jumps.
    let words = ended.output.split(separator: "\n").last?.split(separator: " ") ?? []
    let seconds = words.first.flatMap { Double($0) }
    // Printed with a tenth.
    #expect(
      seconds.map { (0...passed + 0.06).contains($0) } == true,
      "\(passed) s: \(ended.output.suffix(200))")
    // The clock did jump.
    let told = try #require(try scratch.manifest(of: "run")["start"] as? String)
    #expect(told.prefix(10) != Date().formatted(.iso8601).prefix(10))
    let inspected = try scratch.run("inspect", "run", shell: jumping)
    #expect(inspected.code == 0, "\(inspected)")
  }
}
