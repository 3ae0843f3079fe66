import { TerraformElement, TerraformResource, TerraformStack } from 'cdktf'
import { Construct, type Node, RootConstruct } from 'constructs'
import { SignallingBucket } from './bucket.ts'
import { Budget } from './budget.ts'
import { declareClientPolicy } from './client-policy.ts'
import { declareDeployerPolicy } from './deployer-policy.ts'
import { ExitFunction } from './function.ts'
import { declareNames } from './names.ts'
import { declareOutputs } from './outputs.ts'
import { OfferTrigger } from './trigger.ts'
import { declareVariables } from './variables.ts'

/** 1.5 is the first release that OpenTofu also knows; 6.25 the oldest provider that has all that the stacks ask for. */
export const REQUIREMENTS = {
  required_version: '>= 1.5.0',
  required_providers: { aws: { source: 'hashicorp/aws', version: '>= 6.25.0, < 7.0.0' } },
}

/**
 * The whole deployment, in any number of regions. It declares what it needs of the provider but configures none and
 * names no backend, so that the same files are a root module and a child module.
 */
export class NatProxyStack extends TerraformStack {
  constructor() {
    super(new RootConstruct(), 'lambda-nat-proxy')

    this.addOverride('terraform', REQUIREMENTS)
    declareVariables(new Construct(this, 'variables'))
    declareNames(new Construct(this, 'names'))
    const bucket = new SignallingBucket(this, 'signalling')
    const exit = new ExitFunction(this, 'exit')
    new OfferTrigger(this, 'offers', bucket, exit)
    declareClientPolicy(this)
    declareDeployerPolicy(this)
    new Budget(this, 'budget')
    declareOutputs(new Construct(this, 'outputs'))
  }

  /** Addresses as a plan's reader knows them: a resource is called after its construct, all else after itself. */
  protected override allocateLogicalId(element: TerraformElement | Node): string {
    // By its mark, not its class: the provider's package brings a copy of cdktf of its own.
    if (!TerraformElement.isTerraformElement(element)) return element.id
    return TerraformResource.isTerraformResource(element) ? element.node.scope!.node.id : element.node.id
  }
}
