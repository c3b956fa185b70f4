import CHeap
import CVODE
import Testing

/// A hundred lives of integrators leave nothing on the heap, whatever their end.
///
/// `OwnershipTests` counts handles; here the heap itself is asked, which also knows what the library
/// allocates for its own use. Each measurement is made in a process of its own, where nothing else
/// allocates.
@Suite struct LifetimeTests {
  @Test func livesEndAsTheyShould() {
    for life in Lifetime.hundred {
      do throws(IntegrationError) {
        try life.run()
        #expect(!life.fails, "\(life)")
      } catch {
        #expect(life.fails, "\(life): \(error)")
      }
    }
  }

  @Test func aHundredLivesLeaveTheHeapAsItWas() async {
    await #expect(processExitsWith: .success) {
      expectNoGrowth { for life in Lifetime.hundred { try? life.run() } }
    }
  }

  @Test func largeMatricesAreFreed() async {
    await #expect(processExitsWith: .success) {
      let equation = OrdinaryDifferentialEquation(dimension: 300) { _, y, dy in
        for i in 0..<300 { dy[i] = -y[i] }
      }
      expectNoGrowth {
        let state = [Double](repeating: 1, count: 300)
        guard var integrator = try? Integrator(equation, from: 0, state: state) else { return }
        _ = try? integrator.step(toward: 1)
      }
    }
  }

  @Test func stepsAllocateNothingThatStays() async {
    await #expect(processExitsWith: .success) {
      var options = IntegratorOptions()
      options.maximumStep = 1e-3
      var integrator = try Integrator(
        EventTests.oscillator, from: 0, state: [1, 0], options: options)
      var end = 0.0
      expectNoGrowth {
        end += 10
        try? integrator.advance(to: end)
      }
      #expect(integrator.statistics.steps > 70_000 - 1)
    }
  }
}

/// Expects that what is done again and again leaves nothing on the heap, once it was done some times.
///
/// What is made once and kept, by the libraries and by Swift, is made before. What malloc keeps for later
/// counts as in use and varies by a few blocks; a leak grows every time, so the least growth counts.
private func expectNoGrowth(_ body: () -> Void) {
  gf_forget_thrown_errors()
  for _ in 0..<4 { body() }
  var growth = Int.max
  for _ in 0..<3 {
    let before = gf_heap_in_use()
    body()
    growth = min(growth, gf_heap_in_use() - before)
  }
  #expect(growth <= 0, "the heap grew by \(growth) bytes")
  #expect(gf_has_lost_memory() == 0, "the sanitizer's report says where it was allocated")
}
