export { RateLimitConfiguration, type RateLimitConfigurationOptions } from './rate-limit-configuration';
