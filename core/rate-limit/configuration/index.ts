export { endFloor, leaseFloor } from './leased-floor';
export { RateLimitConfiguration, type RateLimitConfigurationOptions } from './rate-limit-configuration';
