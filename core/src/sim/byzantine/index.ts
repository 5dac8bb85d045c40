export { BEHAVIOURS, type BehaviourName, behaviourNames } from './catalogue.ts';
export { DELIVERY_ORDERS, Delivery, type DeliveryOrder } from './delivery.ts';
export { disguisesOf, drawFaulty, type FaultyMember } from './disguises.ts';
