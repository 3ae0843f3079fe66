import { needArm64Engine } from './arm64-engine.ts'
import { needNativeEngine } from './engines.ts'

// Run by test/run.ts before all tests, so that each of them finds the same engines.
await needNativeEngine()
await needArm64Engine()
