export { transaction } from '@arbor/chain/store/transaction'
